"""One chunk of one partition, applied in one transaction.

The steps, in this order; the order is the guarantee:

1. decode and check every record;
2. begin, lock the ledger row, compare the fencing token; drop what was applied, refuse what would leave a gap;
3. decide each change against the newest version of its row; write RocksDB and hand the changelog to the broker;
4. rank the touched groups and write what differs, while the changelog travels; dead letters go into the same transaction;
5. wait until the changelog is acknowledged by all in-sync replicas;
6. advance the ledger and commit. Only this makes the chunk visible, and only this moves the position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import psycopg2
import psycopg2.errorcodes

from flows.model import Flow
from schemas.problems import BadRecord, Reason
from sinks import dead_letters, ledger
from sinks.flow_state import RUNNING
from sinks.ledger import Claim, Locked, Outcome
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool, Session, StatementTimeout
from sinks.sqlstate import Remedy, remedy_of
from streams import chunk
from streams.batches import Record
from streams.decoding import Decoded, Decoder
from streams.ranked_writer import RankedWriter
from streams.share_breaker import ShareBreaker
from tables.candidates import CandidateTable, Position, Staged
from tables.changelog import Append, Appended

TRUNCATED = "truncate: the source table was emptied by TRUNCATE; check, then `sync resume FLOW --accept-truncate`"


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
    truncated: bool = False
    holes: tuple[range, ...] = ()

    def then(self, later: Committed) -> Committed:
        """Both, one after the other."""
        return Committed(
            later.next_offset,
            self.counts + later.counts,
            self.source_times + later.source_times,
            self.deleted + later.deleted,
            self.written + later.written,
            later.truncated,
            self.holes + later.holes,
        )


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
    table: CandidateTable
    pool: Pool
    writer: RankedWriter
    decoder: Decoder
    cipher: PayloadCipher
    breaker: ShareBreaker

    async def apply(self, claim: Claim, records: Sequence[Record]) -> Committed:
        """Apply records of ``claim``'s partition, contiguous in offset.

        Raises :class:`Gap`, :class:`FlowHalted`, :class:`FlowMustStop`, ``LostOwnership``, and for outages ``Unavailable``,
        ``psycopg2.Error`` or ``KafkaError``.
        """
        try:
            return await self._attempt(claim, records, None)
        except (_Refused, _TooLong) as error:
            if len(records) > 1:
                middle = len(records) // 2
                first = await self.apply(claim, records[:middle])
                return first if first.truncated else first.then(await self.apply(claim, records[middle:]))
            if isinstance(error, _TooLong):
                raise FlowMustStop("one record alone exceeds the statement timeout of the target") from error
            return await self._attempt(claim, records, error.problem)

    def position(self, claim: Claim) -> Position:
        """What the candidates reflect of the claim's topic."""
        return self.table.position(claim.partition, claim.topic) or Position(0, claim.first_offset)

    async def _attempt(self, claim: Claim, records: Sequence[Record], refused: BadRecord | None) -> Committed:
        position = self.position(claim)
        decoded = self.decoder.decode(records, position.floor)
        async with self.pool.session() as session:
            locked = await ledger.lock(session, claim)
            try:
                decoded = await self._admit(claim, locked, position, decoded)
                if not decoded.records:
                    return await self._nothing(session, locked, decoded)
                return await self._write(session, claim, locked, position, decoded, refused)
            except (Gap, FlowHalted, FlowMustStop):
                await session.run("ROLLBACK")
                raise

    async def _admit(self, claim: Claim, locked: Locked, position: Position, decoded: Decoded) -> Decoded:
        """The records from the ledger's position on. Those below go to the candidates alone, where these lag behind."""
        if locked.state != RUNNING or locked.resync > locked.resynced:
            raise FlowHalted(f"{self.flow.name} is {locked.state}")
        if not decoded.records or decoded.records[0].offset == locked.next_offset:
            return decoded
        if decoded.records[0].offset > locked.next_offset:
            raise Gap(f"{claim.topic}[{claim.partition}]: the ledger stands at {locked.next_offset}")
        below = [record for record in decoded.records if position.next_offset <= record.offset < locked.next_offset]
        if below:
            await self._restore(claim, position, below)
        rest = [record for record in decoded.records if record.offset >= locked.next_offset]
        return self.decoder.decode(rest, position.floor)

    async def _restore(self, claim: Claim, position: Position, records: Sequence[Record]) -> None:
        """The ledger is ahead of the candidates (lost changelog): bring them up, the target has these already."""
        decoded = self.decoder.decode(records, position.floor)
        staged = self.table.stage(claim.partition, decoded.changes, position.floor)
        await self._acknowledged(claim.partition, await self._store(claim, position, decoded, staged, 0))

    async def _nothing(self, session: Session, locked: Locked, decoded: Decoded) -> Committed:
        await session.run("ROLLBACK")
        return Committed(locked.next_offset, truncated=decoded.truncated)

    async def _write(
        self,
        session: Session,
        claim: Claim,
        locked: Locked,
        position: Position,
        decoded: Decoded,
        refused: BadRecord | None,
    ) -> Committed:
        rank = self.writer.rank(locked.now)
        staged = self.table.stage(claim.partition, decoded.changes, position.floor, rank, barred=refused is not None)
        if refused is not None:
            refused.row_key = decoded.row_keys.get(0)
            decoded.problems[0] = refused
        chunk.settle(decoded, staged)
        counts = chunk.outcomes(decoded, staged)
        read, dead = counts.total(), counts[Outcome.DEAD_LETTERED]
        self.breaker.check(read, dead)
        append = await self._store(claim, position, decoded, staged, locked.now)
        try:
            deleted, written = await self._target(session, claim, locked, decoded, staged)
        except (psycopg2.Error, StatementTimeout) as error:
            await self._acknowledged(claim.partition, append)
            await self._give_up(claim.partition, staged, error)
            raise
        appended = await self._acknowledged(claim.partition, append)
        await ledger.advance_and_commit(session, claim, chunk.advance(decoded, counts))
        self.breaker.committed(read, dead)
        times = _sample(decoded.source_times)
        return Committed(decoded.records[-1].offset + 1, counts, times, deleted, written, decoded.truncated, appended.holes)

    async def _store(self, claim: Claim, position: Position, decoded: Decoded, staged: Staged, ranked_at: int) -> Append:
        reached = max(position.next_offset, decoded.records[-1].offset + 1)
        positions = {claim.topic: msgspec.structs.replace(position, next_offset=reached)}
        return await self.table.write(claim.partition, staged.entries, staged.standing, positions, ranked_at=ranked_at)

    async def _acknowledged(self, partition: int, append: Append) -> Appended:
        appended = await append.acknowledged()
        self.table.acknowledged(partition, appended)
        return appended

    async def _target(self, session: Session, claim: Claim, locked: Locked, decoded: Decoded, staged: Staged) -> tuple[int, int]:
        written = (0, 0)
        if staged.ranked:
            written = await self.writer.write(session, staged.ranked)
        if decoded.problems:
            await dead_letters.write(session, self.flow.name, chunk.letters(decoded), self.cipher)
        if healed := chunk.healed(decoded, staged, locked.open_letters):
            await dead_letters.close(session, self.flow.name, claim.partition, healed)
        return written

    async def _give_up(self, partition: int, staged: Staged, error: psycopg2.Error | StatementTimeout) -> None:
        """Choose the remedy; where a row is at fault, take the candidates back first, or their groups would be blamed too."""
        if isinstance(error, StatementTimeout):
            raise _TooLong from error
        remedy = remedy_of(error)
        if remedy is Remedy.STOP:
            raise FlowMustStop(f"the target refused a statement: {_described(error)}") from error
        if remedy is Remedy.BISECT:
            append = await self.table.write(partition, staged.standing, staged.entries, {})
            await self._acknowledged(partition, append)
            raise _Refused(BadRecord(Reason.REFUSED_BY_DATABASE, _described(error))) from error


_SAMPLED = 50


def _sample(times: list[int]) -> list[int]:
    """All of a small chunk, evenly spaced ones of a large chunk."""
    return times if len(times) <= _SAMPLED else times[:: len(times) // _SAMPLED]


def _described(error: psycopg2.Error) -> str:
    """The class of error and the objects concerned; never the message, which may quote a value."""
    name = psycopg2.errorcodes.lookup(error.pgcode) if error.pgcode else type(error).__name__
    named = {"table": error.diag.table_name, "column": error.diag.column_name, "constraint": error.diag.constraint_name}
    return " ".join([f"{name} ({error.pgcode})", *(f"{kind} {value}" for kind, value in named.items() if value)])
