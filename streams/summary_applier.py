"""One chunk of a summary flow: the newest state of each member is written, or waits for its reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flows.summary_model import SummaryFlow
from schemas.problems import BadRecord
from sinks.ledger import Claim, Locked, Outcome
from sinks.parked import ParkedTable, Waiting
from sinks.pool import Session
from streams import settlement
from streams.applier import Written
from streams.chunk import Chunk
from streams.summary import SummaryWriter, Summed
from streams.summary_decoding import Member, SummaryDecoder
from streams.target_only import TargetApplication, TargetApplier

#: Row key → offset and newest state.
Newest = dict[str, tuple[int, Member]]


@dataclass(frozen=True)
class SummaryApplier(TargetApplier):
    """See :class:`~streams.applier.Applier`. ``deadline``: seconds that a record may wait for its reference."""

    flow: SummaryFlow
    writer: SummaryWriter
    parked: ParkedTable
    decoder: SummaryDecoder
    deadline: float

    def prepare(self, claim: Claim, locked: Locked, chunk: Chunk, *, barred: bool) -> SummaryApplication:
        """Fold to the newest state of each row. A row that the database refused keeps its last good version."""
        newest = {} if barred else _newest(zip(chunk.owners, chunk.changes, strict=True))
        return SummaryApplication(self, claim, chunk, locked.open_letters, newest)

    async def release(self, session: Session, changes: Iterable[tuple[Member, str]]) -> int:
        """Write members that waited, whose reference is there now; returns how many count."""
        newest = _newest((0, member) for member, _ in changes)
        members = [member for _, member in newest.values()]
        families = await self.writer.families(session, {member.reference for member in members})
        return len((await self.writer.write(session, members, families)).won)

    def missing(self, row_key: str | None = None) -> BadRecord:
        """The problem of a record whose reference did not come."""
        return settlement.reference_missing(self.flow.reference_source.name, self.flow.reference.table.qualified, row_key)


def _newest(numbered: Iterable[tuple[int, Member]]) -> Newest:
    newest: Newest = {}
    for offset, member in numbered:
        if member.row_key not in newest or member.version > newest[member.row_key][1].version:
            newest[member.row_key] = (offset, member)
    return newest


@dataclass
class SummaryApplication(TargetApplication):
    """See :class:`~streams.applier.Application`."""

    applier: SummaryApplier
    claim: Claim
    chunk: Chunk
    letters: dict[str, int]
    newest: Newest

    async def write(self, session: Session) -> Written:
        """A member whose reference is not there is written as one that counts nowhere, and its record is parked."""
        writer, references = self.applier.writer, {member.reference for _, member in self.newest.values() if not member.gone}
        families = await writer.families(session, references)
        absent = {key for key, (_, member) in self.newest.items() if not member.gone and member.reference not in families}
        self._refuse_again(absent)
        members = [member.away() if key in absent else member for key, (_, member) in self.newest.items()]
        summed = await writer.write(session, members, families)
        await self._cancel(session, summed.won)
        parked = await self._park(session, absent, summed)
        applied = {self.newest[key][0] for key in summed.won - absent} - parked
        good = settlement.healed(self.chunk, self.letters, lambda _, key: key in summed.won and key not in absent)
        return Written(len(applied), summed.removed, summed.written, good, parked=len(parked))

    def _refuse_again(self, absent: set[str]) -> None:
        """A dead letter that was sent again, and whose reference is still missing, stays one."""
        for key in [key for key in absent if self.newest[key][0] in self.chunk.replays]:
            offset, _ = self.newest.pop(key)
            self.chunk.problems[offset] = self.applier.missing(key)
            absent.discard(key)

    async def _cancel(self, session: Session, won: Iterable[str]) -> None:
        """What waits of a row that has a newer version is overtaken."""
        claim, parked = self.claim, self.applier.parked
        for topic, count in (await parked.cancel(session, claim.partition, won)).items():
            await parked.recount(session, topic, claim.partition, {Outcome.PARKED: -count, Outcome.SUPERSEDED: count})

    async def _park(self, session: Session, absent: set[str], summed: Summed) -> frozenset[int]:
        """Also what a delete at the same position came before, as when the message key changes; but nothing twice."""
        applier, claim = self.applier, self.claim
        doubtful = absent & summed.gone_before
        waiting = await applier.parked.waiting(session, claim.partition, doubtful) if doubtful else set[str]()
        records = [self._waiting(*self.newest[key]) for key in (absent & summed.won) | (doubtful - waiting)]
        return await applier.parked.park(session, claim.topic, claim.partition, records, seconds=applier.deadline)

    def _waiting(self, offset: int, member: Member) -> Waiting:
        record = self.chunk.originals[offset]
        headers = tuple(record.headers or ())
        return Waiting(offset, member.row_key, member.reference, record.timestamp, record.key, record.value, headers)
