"""Mirror and callback flows: the newest state of each row goes to the target, if its version is newer than what stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from flows.row_model import RowFlow
from flows.summary_model import SummaryFlow
from sinks.json_text import json_text
from sinks.ledger import Claim, Locked
from sinks.mirror_rows import mirror_statement, standing_statement
from sinks.notices import NoticeWriter
from sinks.pool import Session
from sinks.row_versions import NOT_OLDER
from sinks.summary_rows import following_statement
from streams import settlement
from streams.applier import RecordDecoder, Written
from streams.chunk import Chunk
from streams.mirror_decoding import RowState
from streams.target_only import TargetApplication, TargetApplier


@dataclass(frozen=True)
class Won:
    """Versions that won and that count, target rows removed and written, and row keys asked for that won."""

    applied: int
    removed: int
    written: int
    keys: frozenset[str]


class MirrorWriter:
    """Writes states inside a transaction that somebody else has begun under the ledger lock.

    ``followers`` are flows whose members refer to the rows: they are told of rows that members do not follow yet.
    """

    def __init__(self, flow: RowFlow, followers: Iterable[SummaryFlow] = ()) -> None:
        self._flow = flow.name
        self.keeps_deleted = flow.deleted_at is not None
        self._plain, self._with_kept = (mirror_statement(flow, with_kept=kept) for kept in (False, True))
        self._restoring = mirror_statement(flow, guard=NOT_OLDER)
        self._standing = standing_statement(flow)
        self._notices = NoticeWriter(flow, flow.notice) if flow.notice else None
        self._following = [following_statement(follower) for follower in followers]

    async def write(self, session: Session, states: Sequence[RowState], asked: Iterable[str] = ()) -> Won:
        """Write the states whose version wins; ``asked`` are row keys of which the answer tells."""
        statement = self._with_kept if any(state.kept for state in states) else self._plain
        return await self._run(session, statement, states, asked)

    async def restore(self, session: Session, states: Sequence[RowState]) -> Won:
        """Write the states that are not older than what stands: where a row of just that version is missing or differs."""
        return await self._run(session, self._restoring, states, ())

    async def _run(self, session: Session, statement: str, states: Sequence[RowState], asked: Iterable[str]) -> Won:
        if not states:
            return Won(0, 0, 0, frozenset())
        rows = (b"[%b]" % b",".join(map(document_of, states))).decode()
        found = await session.row(statement, {"flow": self._flow, "rows": rows, "asked": json_text(list(asked))})
        assert found is not None, "the statement answers one row"
        for following in self._following:
            await session.run(following, {"keys": json_text([state.row_key for state in states])})
        return Won(found[0], found[1], found[2], frozenset(found[3] or ()))

    async def tell(self, session: Session, notices: list[bytes]) -> None:
        """Write notices that were not written before."""
        if self._notices is not None:
            await self._notices.write(session, notices)

    async def standing(self, session: Session, keys: Iterable[str]) -> set[str]:
        """Those of the row keys that have a row in the target."""
        return {key for (key,) in await session.rows(self._standing, {"keys": json_text(list(keys))})}


def document_of(state: RowState) -> bytes:
    """The JSON object that statements take: envelope and target columns."""
    kept = b',"kept":%b' % msgspec.json.encode(state.kept) if state.kept else b""
    gone = b"true" if state.gone else b"false"
    left_out = b"" if state.counts else b',"f":true'
    arrival = b',"a":%d' % state.arrival if state.arrival else b""
    key = msgspec.json.encode(state.row_key)
    envelope = b'"k":%b,"e":%d,"l":%d%b,"d":%b%b%b' % (key, state.epoch, state.lsn, arrival, gone, left_out, kept)
    return b"{%b,%b}" % (envelope, state.content)


@dataclass(frozen=True)
class MirrorApplier(TargetApplier):
    """See :class:`~streams.applier.Applier`."""

    writer: MirrorWriter
    decoder: RecordDecoder

    def prepare(self, claim: Claim, locked: Locked, chunk: Chunk, *, barred: bool) -> MirrorApplication:  # noqa: ARG002 as the protocol has it
        """Fold to the newest state of each row. A row that the database refused keeps its last good version."""
        waves = [] if barred else _waves(chunk, keeps_deleted=self.writer.keeps_deleted)
        return MirrorApplication(self.writer, chunk, locked.open_letters, waves)


#: Row key → offset and content of its newest state.
Newest = dict[str, tuple[int, RowState]]


def _waves(chunk: Chunk, *, keeps_deleted: bool) -> list[Newest]:
    """What to write, one after the other. Rows that stay when they are deleted first get their last content."""
    numbered = list(zip(chunk.owners, chunk.changes, strict=True))
    newest = newest_states(numbered)
    gone = {key for key, (_, state) in newest.items() if state.gone} if keeps_deleted else set()
    contents = [(offset, state) for offset, state in numbered if state.row_key in gone and not state.gone] if gone else []
    last = newest_states(contents)
    return [wave for wave in (last, newest) if wave]


def newest_states(numbered: Iterable[tuple[int, RowState]]) -> Newest:
    """Of each row. What a state keeps comes from an earlier one of the chunk, or from the target."""
    newest: Newest = {}
    for offset, state in numbered:
        standing = newest.get(state.row_key)
        if standing is None or state.version > standing[1].version:
            newest[state.row_key] = (offset, _carried(state, standing[1]) if state.kept and standing else state)
    return newest


def _carried(state: RowState, earlier: RowState) -> RowState:
    if earlier.gone:
        return state
    columns = msgspec.json.decode(b"{%b}" % state.content, type=dict[str, msgspec.Raw])
    before = msgspec.json.decode(b"{%b}" % earlier.content, type=dict[str, msgspec.Raw])
    content = msgspec.json.encode(columns | {name: before[name] for name in state.kept})[1:-1]
    return msgspec.structs.replace(state, content=content, kept=earlier.kept)


@dataclass
class MirrorApplication(TargetApplication):
    """See :class:`~streams.applier.Application`."""

    writer: MirrorWriter
    chunk: Chunk
    letters: dict[str, int]
    waves: list[Newest]

    async def write(self, session: Session) -> Written:
        """One statement for each wave; one more where the source left values out."""
        applied = removed = written = 0
        healed: set[str] = set()
        for newest in self.waves:
            await self._refuse_unknown(session, newest)
            won = await self.writer.write(session, [state for _, state in newest.values()], self.letters.keys() & newest.keys())
            applied, removed, written = applied + won.applied, removed + won.removed, written + won.written
            healed |= won.keys
        if self.waves:
            await self.writer.tell(session, self._notices())
        filtered = sum(not state.counts for state in self.chunk.changes)
        good = settlement.healed(self.chunk, self.letters, lambda _, key: key in healed)
        return Written(applied, removed, written, good, filtered)

    def _notices(self) -> list[bytes]:
        """Of all changes, also of those that others of the chunk have overtaken."""
        numbered = zip(self.chunk.owners, self.chunk.changes, strict=True)
        return [state.notice for offset, state in numbered if state.notice and offset not in self.chunk.problems]

    async def _refuse_unknown(self, session: Session, newest: Newest) -> None:
        """A value that the source left out and that is nowhere here: the row's last good version stands."""
        kept = [key for key, (_, state) in newest.items() if state.kept]
        for row_key in set(kept) - (await self.writer.standing(session, kept) if kept else set()):
            offset, _ = newest.pop(row_key)
            self.chunk.problems[offset] = settlement.value_left_out(row_key)
