"""Ranked flows: changes go to the candidates in RocksDB and their changelog, the best of each touched group to the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from sinks.ledger import Claim, Locked
from sinks.pool import Session
from streams import settlement
from streams.applier import Written
from streams.chunk import Chunk
from streams.ranked_decoding import RankedDecoder
from streams.ranked_writer import RankedWriter
from tables.candidates import CandidateTable, Position, Staged
from tables.changelog import Append
from tables.entry import Version


@dataclass(frozen=True)
class RankedApplier:
    """See :class:`~streams.applier.Applier`."""

    table: CandidateTable
    writer: RankedWriter
    decoder: RankedDecoder

    def position(self, claim: Claim) -> Position:
        """What the candidates reflect of the claim's topic."""
        return self.table.position(claim.partition, claim.topic) or Position(0, claim.first_offset)

    def has_accepted(self, claim: Claim, locked: Locked, truncate: Version) -> bool:  # noqa: ARG002 as the protocol has it
        """Versions up to the floor are of rows that were gone when the partition was rebuilt."""
        return truncate <= self.position(claim).floor

    async def catch_up(self, claim: Claim, chunk: Chunk, next_offset: int) -> None:
        """The ledger is ahead of the candidates where their changelog was lost; the target has these changes already."""
        position = self.position(claim)
        if position.next_offset < next_offset:
            reached = min(chunk.next_offset, next_offset)
            changes = chunk.changes_between(position.next_offset, reached)
            staged = self.table.stage(claim.partition, changes, position.floor)
            append = await _store(self.table, claim, position, reached, staged, 0)
            await self.table.until_acknowledged(claim.partition, append)

    def prepare(self, claim: Claim, locked: Locked, chunk: Chunk, *, barred: bool) -> RankedApplication:
        """Decide each change against the newest version of its row and rank the touched groups."""
        position = self.position(claim)
        rank = self.writer.rank(locked.now)
        staged = self.table.stage(claim.partition, chunk.changes, position.floor, rank, barred=barred)
        for index in staged.missing:
            chunk.problems[chunk.owners[index]] = settlement.value_left_out(chunk.changes[index].row_key)
        return RankedApplication(self.table, self.writer, claim, locked, chunk, position, staged)

    def rewriting(self, applications: Iterable[RankedApplication]) -> tuple[str, dict[str, str]] | None:
        """The one statement, and its parameters, for the touched groups of partitions: no group is in two of them."""
        ranked = {group: winners for each in applications for group, winners in each.staged.ranked.items()}
        return (self.writer.statement, self.writer.parameters(ranked)) if ranked else None


@dataclass
class RankedApplication:
    """See :class:`~streams.applier.Application`. The changelog travels while the target is written."""

    table: CandidateTable
    writer: RankedWriter
    claim: Claim
    locked: Locked
    chunk: Chunk
    position: Position
    staged: Staged
    append: Append | None = field(default=None, init=False)

    async def write(self, session: Session) -> Written:
        """RocksDB and the changelog first, then the target."""
        await self.store()
        deleted, written = await self.writer.write(session, self.staged.ranked) if self.staged.ranked else (0, 0)
        return replace(self.outcome(), deleted=deleted, written=written)

    async def store(self) -> None:
        """RocksDB and the changelog."""
        self.append = await _store(self.table, self.claim, self.position, self.chunk.next_offset, self.staged, self.locked.now)

    def outcome(self) -> Written:
        """What the chunk comes to, whatever the target holds already."""
        accepted = self._accepted()
        healed = settlement.healed(self.chunk, self.locked.open_letters, lambda offset, _: offset in accepted)
        return Written(len(accepted), 0, 0, healed)

    def _accepted(self) -> set[int]:
        """Offsets of the records that changed something."""
        newest = {at for at, accepted in zip(self.chunk.owners, self.staged.accepted, strict=True) if accepted}
        return newest - self.chunk.problems.keys()

    async def abandon(self, *, undo: bool) -> None:
        """With ``undo`` the candidates are as before, or the groups of the row at fault would be blamed too."""
        if self.append is None:
            return
        await self.table.until_acknowledged(self.claim.partition, self.append)
        if undo:
            append = await self.table.write(self.claim.partition, self.staged.standing, self.staged.entries, {})
            await self.table.until_acknowledged(self.claim.partition, append)

    async def confirm(self) -> tuple[range, ...]:
        """Wait until all in-sync replicas have the changelog."""
        assert self.append is not None, "confirmed after it was written"
        return await self.table.until_acknowledged(self.claim.partition, self.append)


async def _store(table: CandidateTable, claim: Claim, position: Position, reached: int, staged: Staged, ranked_at: int) -> Append:
    """Write to the candidates and their changelog what is to stand, and that they reflect the topic up to ``reached``."""
    positions = {claim.topic: msgspec.structs.replace(position, next_offset=max(position.next_offset, reached))}
    return await table.write(claim.partition, staged.entries, staged.standing, positions, ranked_at=ranked_at)
