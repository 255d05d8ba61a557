"""Append flows: facts go to the target once, however often they come; those whose reference is not there yet are parked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from flows.append_model import AppendFlow
from schemas.problems import BadRecord, Reason
from sinks import fact_letters
from sinks.append_rows import append_statement, give_way_statement
from sinks.fact_letters import Letters
from sinks.ledger import Claim, Locked
from sinks.parked import ParkedTable, Waiting
from sinks.pool import Session
from streams import settlement
from streams.append_decoding import AppendDecoder, Fact, News
from streams.applier import Written
from streams.chunk import Chunk
from streams.fact_sorting import Numbered, Sorted, sort_facts
from streams.target_only import TargetApplication, TargetApplier

#: A fact and what its reference was found to be.
Found = tuple[Fact, str]

MENDED = "a good version of the row was applied"
SENT_AGAIN = "the record was sent again and applied"


class AppendWriter:
    """Adds facts inside a transaction that somebody else has begun under the ledger lock."""

    def __init__(self, flow: AppendFlow) -> None:
        self._flow = flow.name
        self._looked_up = msgspec.json.encode(flow.reference.column)
        self._append, self._backfill = (append_statement(flow, backfill=backfill) for backfill in (False, True))
        self._give_way = give_way_statement(flow)

    async def write(self, session: Session, facts: Sequence[Found]) -> int:
        """Add the facts that are not there; returns how many."""
        if not facts:
            return 0
        parameters = {"flow": self._flow, "facts": self._document(_needed(facts))}
        await session.run(self._give_way, parameters)
        return await _counted(session, self._append, parameters)

    async def backfill(self, session: Session, facts: Sequence[Found]) -> int:
        """Add those whose state has no fact at all, until the fact itself comes; returns how many."""
        if not facts:
            return 0
        return await _counted(session, self._backfill, {"flow": self._flow, "facts": self._document(facts)})

    def _document(self, facts: Iterable[Found]) -> str:
        return (b"[%b]" % b",".join(self._row(fact, found) for fact, found in facts)).decode()

    def _row(self, fact: Fact, found: str) -> bytes:
        fills = b"false" if fact.news is News.HAPPENED else b"true"
        return b'{"fills":%b,%b:%b,%b}' % (fills, self._looked_up, msgspec.json.encode(found), fact.content)


def _needed(facts: Iterable[Found]) -> list[Found]:
    """What only fills a gap is left out where an earlier fact of the same statement has filled it."""
    needed, filled = [], set()
    for fact, found in facts:
        state = (fact.row_key, fact.state)
        if fact.news is News.HAPPENED or state not in filled:
            needed.append((fact, found))
        filled.add(state)
    return needed


async def _counted(session: Session, statement: str, parameters: dict[str, str]) -> int:
    found = await session.row(statement, parameters)
    assert found is not None, "the statement answers one row"
    return int(found[0])


@dataclass(frozen=True)
class AppendApplier(TargetApplier):
    """See :class:`~streams.applier.Applier`. ``deadline``: seconds that a record may wait for its reference."""

    flow: AppendFlow
    writer: AppendWriter
    parked: ParkedTable
    decoder: AppendDecoder
    deadline: float

    def prepare(self, claim: Claim, locked: Locked, chunk: Chunk, *, barred: bool) -> AppendApplication:
        """What a chunk comes to depends on the target, and is decided there. A fact that the database refused is left out."""
        numbered = [] if barred else list(zip(chunk.owners, chunk.changes, strict=True))
        return AppendApplication(self, claim, chunk, locked.open_letters.keys(), numbered)

    async def release(self, session: Session, changes: Sequence[Found]) -> int:
        """Add facts that waited, with what was looked up; returns how many were not there."""
        return await self.writer.write(session, changes)

    def missing(self, row_key: str | None = None) -> BadRecord:
        """The problem of a record whose reference did not come."""
        return settlement.reference_missing(self.flow.reference_source.name, self.flow.reference.table.qualified, row_key)


@dataclass
class AppendApplication(TargetApplication):
    """See :class:`~streams.applier.Application`."""

    applier: AppendApplier
    claim: Claim
    chunk: Chunk
    with_letters: Iterable[str]
    numbered: Numbered

    async def write(self, session: Session) -> Written:
        """Look up what the facts refer to, add those that can be added, park the others."""
        letters = await self._letters(session)
        known, done = await self._sorted(session, letters)
        written = await self._add(session, [(fact, known[fact.reference]) for _, fact in done.ready])
        parked = await self._park(session, done.park)
        for offset, fact in done.unknown:
            self.chunk.problems[offset] = self.applier.missing(fact.row_key)
        await self._close_letters(session, done, letters)
        return Written(written, 0, written, filtered=done.filtered, parked=len(parked))

    async def _add(self, session: Session, facts: Sequence[Found]) -> int:
        """What a command tells of a row as it was found fills a gap for as long as the fact itself does not come."""
        writer, commanded = self.applier.writer, self.claim.topic == self.applier.flow.command_topic
        filling = [each for each in facts if commanded and each[0].news is News.FOUND]
        happened = [each for each in facts if not (commanded and each[0].news is News.FOUND)]
        return await writer.write(session, happened) + await writer.backfill(session, filling)

    async def _letters(self, session: Session) -> Letters:
        """Open dead letters of the chunk's rows; a command knows nothing of what is older or newer."""
        concerned = set(self.with_letters) & {fact.row_key for _, fact in self.numbered}
        if not concerned or self.claim.topic != self.applier.flow.topic:
            return {}
        place = (self.claim.flow, self.claim.topic, self.claim.partition)
        return await fact_letters.unsettled(session, *place, concerned, sparing=str(Reason.REFERENCE_MISSING))

    async def _sorted(self, session: Session, letters: Letters) -> tuple[dict[str, str], Sorted]:
        facts = [fact for _, fact in self.numbered if fact.content]
        if not facts:
            return {}, Sorted(filtered=len(self.numbered))
        parked = self.applier.parked
        known = await parked.known(session, {fact.reference for fact in facts})
        waiting = await parked.waiting(session, self.claim.partition, {fact.row_key for fact in facts})
        return known, sort_facts(self.numbered, known=known, waiting=waiting, replays=self.chunk.replays, letters=letters)

    async def _park(self, session: Session, facts: Numbered) -> frozenset[int]:
        """Those that are read again and wait already, or lie in the dead letters, are not parked twice."""
        records = [self._waiting(offset, fact) for offset, fact in facts]
        applier, claim = self.applier, self.claim
        return await applier.parked.park(session, claim.topic, claim.partition, records, seconds=applier.deadline)

    def _waiting(self, offset: int, fact: Fact) -> Waiting:
        record = self.chunk.originals[offset]
        headers = tuple(record.headers or ())
        return Waiting(offset, fact.row_key, fact.reference, record.timestamp, record.key, record.value, headers)

    async def _close_letters(self, session: Session, done: Sorted, letters: Letters) -> None:
        """A letter that was sent again is closed by its own record; others by a later one of their row."""
        if not (letters or self.chunk.replays):
            return
        flow = self.claim.flow
        again = [letter for offset, letter in self.chunk.replays.items() if offset not in self.chunk.problems]
        mended = [letter for at, fact in done.ready for before, letter in letters.get(fact.row_key, ()) if before < at]
        await fact_letters.close(session, flow, again, SENT_AGAIN)
        await fact_letters.close(session, flow, mended, MENDED)
