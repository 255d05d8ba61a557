"""Small chunks of several partitions of a ranked flow, committed together.

At a few hundred records a second, spread over ten partitions, a chunk is a record or two, and what its transaction costs does not
depend on their number. So chunks that come while a transaction is under way share the next one. Its steps are those of
:mod:`streams.unit_of_work`, for all of them at once:

1. begin, lock those ledger rows that nobody holds and whose token is ours, and take the chunks that begin where theirs stand;
2. write RocksDB and hand all changelogs to the broker;
3. wait until they are acknowledged by all in-sync replicas;
4. write the rows that differ, advance the ledger rows and commit, in one round trip.

It decides nothing. A chunk in which something is to be decided does not come here, and one about which a question comes up
leaves: each such chunk is applied by itself, by the unit of work, and meets its own fate there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import psycopg2

from sinks import dead_letters, ledger
from sinks.ledger import Claim, Locked
from sinks.pool import Session, StatementTimeout
from sinks.sqlstate import Remedy, remedy_of
from streams import settlement
from streams.applier import Written
from streams.chunk import Chunk
from streams.outage import OUTAGES
from streams.ranked import RankedApplication, RankedApplier
from streams.unit_of_work import Committed, UnitOfWork

log = logging.getLogger(__name__)

#: While one waits for the broker and the disk, the next collects and works.
AT_A_TIME: Final = 2


@dataclass(eq=False)
class _Member:
    """A chunk on its way; ``committed`` is ``None`` when it is to be applied by itself. ``holes``: found on the way."""

    claim: Claim
    chunk: Chunk
    holes: tuple[range, ...] = ()
    committed: asyncio.Future[Committed | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def leave(self, committed: Committed | None) -> None:
        """Let the lane go on, if it still waits."""
        if not self.committed.done():
            self.committed.set_result(committed)

    def fail(self, error: Exception) -> None:
        """Let the lane meet the error."""
        if not self.committed.done():
            self.committed.set_exception(error)


@dataclass(frozen=True)
class _Part:
    """A member under its lock."""

    member: _Member
    application: RankedApplication
    written: Written

    @property
    def advance(self) -> tuple[Claim, ledger.Advance]:
        """How its ledger row moves."""
        chunk = self.member.chunk
        return self.member.claim, settlement.advance(chunk, settlement.outcomes(chunk, self.written))


class GroupCommit:
    """Applies chunks of one flow; shared by its lanes, each of which applies one chunk at a time."""

    def __init__(self, work: UnitOfWork, applier: RankedApplier) -> None:
        self._work = work
        self._applier = applier
        self._waiting: list[_Member] = []
        self._groups: set[asyncio.Task[None]] = set()

    async def apply(self, claim: Claim, chunk: Chunk) -> Committed:
        """As :meth:`UnitOfWork.apply`; target rows of chunks that were committed together are not counted."""
        if not _is_plain(chunk):
            return await self._work.apply(claim, chunk)
        member = _Member(claim, chunk)
        if committed := await self._together(member):
            return committed
        alone = await self._work.apply(claim, chunk)
        return replace(alone, holes=member.holes + alone.holes)

    async def _together(self, member: _Member) -> Committed | None:
        self._waiting.append(member)
        if len(self._groups) < AT_A_TIME:
            self._begin()
        try:
            return await member.committed
        except asyncio.CancelledError:
            # Its partition is given up, and nobody may go on writing for it. The others begin anew, by themselves.
            await self._disperse()
            raise

    def _begin(self) -> None:
        group = asyncio.create_task(self._run())
        self._groups.add(group)
        group.add_done_callback(self._groups.discard)

    async def _disperse(self) -> None:
        for member in self._waiting:
            member.leave(None)
        self._waiting.clear()
        for group in self._groups:
            group.cancel()
        if self._groups:
            await asyncio.wait(self._groups)

    async def _run(self) -> None:
        """Commit groups until nobody waits."""
        while self._waiting:
            members, self._waiting = self._waiting, []
            try:
                await self._commit(members)
            except OUTAGES as error:
                log.info("%s: %s chunks are applied one by one: %s", self._work.flow.name, len(members), type(error).__name__)
            except Exception as error:  # noqa: BLE001 - a defect, or damaged files: the lanes know what is to be done
                for member in members:
                    member.fail(error)
            finally:
                for member in members:
                    member.leave(None)

    async def _commit(self, members: Sequence[_Member]) -> None:
        async with self._work.pool.session() as session:
            locked = await ledger.lock_free(session, [member.claim for member in members])
            admitted = [member for member in members if _is_next(member.chunk, locked.get(member.claim))]
            parts = [self._part(member, locked[member.claim]) for member in admitted]
            if not parts:
                await session.run("ROLLBACK")
                return
            for part in parts:
                await part.application.store()
            for part in parts:
                part.member.holes += await part.application.confirm()
            await self._write(session, parts)
        for part in parts:
            self._settle(part)

    def _part(self, member: _Member, locked: Locked) -> _Part:
        application = self._applier.prepare(member.claim, locked, member.chunk, barred=False)
        return _Part(member, application, application.outcome())

    async def _write(self, session: Session, parts: Sequence[_Part]) -> None:
        """Step 4. What the server has refused is not committed: the candidates are put back, for who tries again alone."""
        statements, parameters = [f"{ledger.ADVANCE}; COMMIT"], {"advances": ledger.advances_of(part.advance for part in parts)}
        if rewriting := self._applier.rewriting(part.application for part in parts):
            statements.insert(0, rewriting[0])
            parameters |= rewriting[1]
        try:
            await self._close_letters(session, parts)
            await session.run("; ".join(statements), {"flow": self._work.flow.name, **parameters})
        except (psycopg2.Error, StatementTimeout) as error:
            if isinstance(error, StatementTimeout) or remedy_of(error) is not Remedy.WAIT:
                for part in parts:
                    await part.application.abandon(undo=True)
            raise

    async def _close_letters(self, session: Session, parts: Sequence[_Part]) -> None:
        for part in parts:
            if part.written.healed:
                await dead_letters.close(session, self._work.flow.name, part.member.claim.partition, part.written.healed)

    def _settle(self, part: _Part) -> None:
        chunk = part.member.chunk
        self._work.breaker.committed(len(chunk), 0)
        counts = settlement.outcomes(chunk, part.written)
        part.member.leave(Committed(chunk.next_offset, counts, chunk.source_times, holes=part.member.holes))


def _is_plain(chunk: Chunk) -> bool:
    """Whether it is small and none of its records can become a dead letter, unless the database refuses it."""
    return chunk.is_small and not chunk.originals and chunk.truncate is None


def _is_next(chunk: Chunk, locked: Locked | None) -> bool:
    """Whether the flow may go on with just this chunk."""
    return locked is not None and locked.may_write and chunk.first_offset == locked.next_offset
