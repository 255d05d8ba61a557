"""One chunk of one partition, applied in one transaction.

The steps, in this order; the order is the guarantee:

1. before: records are decoded and checked as they arrive;
2. begin, lock the ledger row, compare the fencing token; drop what was applied, refuse what would leave a gap;
3. decide each change against the newest version of its row; of a ranked flow, write RocksDB and hand the changelog to the
   broker, and rank the touched groups;
4. write the rows that differ, of a ranked flow while the changelog travels; dead letters go into the same transaction;
5. wait until a changelog is acknowledged by all in-sync replicas;
6. advance the ledger and commit. Only this makes the chunk visible, and only this moves the position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce

import psycopg2

from flows.model import Flow
from schemas.problems import BadRecord, Reason
from settings import PROGRAM
from sinks import dead_letters, ledger
from sinks.ledger import Claim, Locked, Outcome
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool, Session, StatementTimeout
from sinks.sqlstate import Remedy, described, remedy_of
from streams import settlement
from streams.applier import Application, Applier, Written
from streams.batches import Record
from streams.chunk import Chunk
from streams.share_breaker import ShareBreaker

TRUNCATED = f"truncate: the source table was emptied by TRUNCATE; check, then `{PROGRAM} resume FLOW --accept-truncate`"


class Gap(Exception):
    """The ledger stands elsewhere than the records begin: read again from the ledger."""


class FlowHalted(Exception):
    """The flow is paused, stopped, or to be rebuilt; nothing was written."""


class FlowMustStop(Exception):
    """Something that an operator has to decide; the message is the reason."""


@dataclass
class Committed:
    """What a chunk came to. ``source_times`` in microseconds; ``deleted`` and ``written`` are target rows."""

    next_offset: int
    counts: Counter[Outcome] = field(default_factory=Counter)
    source_times: list[int] = field(default_factory=list)
    deleted: int = 0
    written: int = 0
    holes: tuple[range, ...] = ()

    def then(self, later: Committed) -> Committed:
        """Both, one after the other."""
        return Committed(
            later.next_offset,
            self.counts + later.counts,
            self.source_times + later.source_times,
            self.deleted + later.deleted,
            self.written + later.written,
            self.holes + later.holes,
        )


class OriginalsNeeded(Exception):
    """A row in the chunk is at fault, and to find it the records themselves are needed: read again, up to ``until``."""

    def __init__(self, until: int) -> None:
        super().__init__(f"records up to offset {until} are read again, one of their rows is at fault")
        self.until = until


class _Refused(Exception):
    """The database does not accept one of the rows; the table is as it was before the chunk."""

    def __init__(self, problem: BadRecord) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _TooLong(Exception):
    """The statement ran into its timeout."""


@dataclass(frozen=True)
class UnitOfWork:
    """Applies chunks of one flow; shared by its lanes, each of which applies one chunk at a time."""

    flow: Flow
    applier: Applier
    pool: Pool
    cipher: PayloadCipher
    breaker: ShareBreaker

    async def apply(self, claim: Claim, chunk: Chunk) -> Committed:
        """Apply a chunk of ``claim``'s partition.

        Raises :class:`Gap`, :class:`FlowHalted`, :class:`FlowMustStop`, :class:`OriginalsNeeded`, ``LostOwnership``, and for
        outages ``Unavailable``, ``psycopg2.Error`` or ``KafkaError``.
        """
        try:
            return await self._attempt(claim, chunk, None)
        except (_Refused, _TooLong) as error:
            if not chunk.complete:
                raise OriginalsNeeded(chunk.next_offset) from error
            if len(chunk) > 1:
                return await self._halves(claim, list(chunk.originals.values()))
            if isinstance(error, _TooLong):
                raise FlowMustStop("one record alone exceeds the statement timeout of the target") from error
            return await self._attempt(claim, chunk, error.problem)

    async def _halves(self, claim: Claim, records: list[Record]) -> Committed:
        middle = len(records) // 2
        done = [
            await self.apply(claim, chunk)
            for half in (records[:middle], records[middle:])
            for chunk in self.applier.decoder.decode(half, keep=True)
        ]
        return reduce(Committed.then, done)

    async def _attempt(self, claim: Claim, chunk: Chunk, refused: BadRecord | None) -> Committed:
        async with self.pool.session() as session:
            locked = await ledger.lock(session, claim)
            try:
                admitted = await self._admit(claim, locked, chunk)
                if admitted is None:
                    await session.run("ROLLBACK")
                    return Committed(locked.next_offset)
                return await self._write(session, claim, locked, admitted, refused)
            except (Gap, FlowHalted, FlowMustStop):
                await session.run("ROLLBACK")
                raise

    async def _admit(self, claim: Claim, locked: Locked, chunk: Chunk) -> Chunk | None:
        """The part from the ledger's position on."""
        if not locked.may_write:
            raise FlowHalted(f"{self.flow.name} is {locked.state}")
        if chunk.truncate is not None and not self.applier.has_accepted(claim, locked, chunk.truncate):
            raise FlowMustStop(TRUNCATED)
        if chunk.first_offset == locked.next_offset:
            return chunk
        if chunk.first_offset > locked.next_offset:
            raise Gap(f"{claim.topic}[{claim.partition}]: the ledger stands at {locked.next_offset}")
        await self.applier.catch_up(claim, chunk, locked.next_offset)
        return chunk.from_offset(locked.next_offset) if chunk.next_offset > locked.next_offset else None

    async def _write(self, session: Session, claim: Claim, locked: Locked, chunk: Chunk, refused: BadRecord | None) -> Committed:
        known = settlement.with_new_letters(locked, chunk)
        application = self.applier.prepare(claim, known, chunk, barred=refused is not None)
        if refused is not None:
            refused.row_key = chunk.changes[0].row_key
            chunk.problems[chunk.first_offset] = refused
        self.breaker.check(len(chunk), len(chunk.problems))
        try:
            written = await application.write(session)
            await self._settle_letters(session, claim, chunk, written)
        except (psycopg2.Error, StatementTimeout) as error:
            await self._give_up(application, error)
            raise
        holes = await application.confirm()
        counts = settlement.outcomes(chunk, written)
        await ledger.advance_and_commit(session, claim, settlement.advance(chunk, counts))
        self.breaker.committed(len(chunk) - written.parked, len(chunk.problems))
        return Committed(chunk.next_offset, counts, chunk.source_times, written.deleted, written.written, holes)

    async def _settle_letters(self, session: Session, claim: Claim, chunk: Chunk, written: Written) -> None:
        if chunk.problems:
            await dead_letters.write(session, self.flow.name, settlement.letters(chunk), self.cipher)
        if written.healed:
            await dead_letters.close(session, self.flow.name, claim.partition, written.healed)

    async def _give_up(self, application: Application, error: psycopg2.Error | StatementTimeout) -> None:
        """Choose the remedy."""
        if isinstance(error, StatementTimeout):
            await application.abandon(undo=False)
            raise _TooLong from error
        remedy = remedy_of(error)
        await application.abandon(undo=remedy is Remedy.BISECT)
        if remedy is Remedy.STOP:
            raise FlowMustStop(f"the target refused a statement: {described(error)}") from error
        if remedy is Remedy.BISECT:
            raise _Refused(BadRecord(Reason.REFUSED_BY_DATABASE, described(error))) from error


@contextmanager
def refusals_stop_the_flow() -> Iterator[None]:
    """For rows of the source, which nobody can halve or send again: what waiting does not heal raises :class:`FlowMustStop`."""
    try:
        yield
    except psycopg2.Error as error:
        if remedy_of(error) is Remedy.WAIT:
            raise
        raise FlowMustStop(f"the target refused a row of the source: {described(error)}") from error
