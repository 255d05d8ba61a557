"""The upkeep of a ranked flow: its candidates, their changelog, and the candidates that expire."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.ledger import Claim
from streams.changelog_repair import repair_changelog
from streams.expiry import Expiry
from streams.log_reader import LogReader
from streams.rebuild import Rebuilder
from tables.candidates import CandidateTable
from tables.store import is_damage


@dataclass(frozen=True)
class RankedUpkeep:
    """See :class:`~streams.upkeep.Upkeep`."""

    table: CandidateTable
    expiry: Expiry
    rebuilder: Rebuilder
    log_reader: LogReader

    @property
    def interval(self) -> float | None:
        """Nothing is urgent."""
        return None

    def forget_ownership(self) -> None:
        """Changelogs may have grown."""
        self.table.forget_ownership()

    def reflected(self, partition: int, topic: str, next_offset: int) -> int | None:  # noqa: ARG002 as the protocol has it
        """What the candidates know."""
        position = self.table.position(partition, topic)
        return position.next_offset if position else None

    async def loss(self, partition: int) -> str | None:
        """A changelog that ends before what we have from it was made anew: its next reader would know only a part.

        The local copy is thrown away, so that the rebuild writes everything into the new one.
        """
        known = self.table.changelog_offset(partition)
        log_name = (self.table.changelog_topic_name, partition)
        if known is None or known < (await self.log_reader.end_offsets([log_name]))[log_name]:
            return None
        self.table.discard(partition)
        return "the changelog is shorter than what was written"

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Candidates and target, from the source."""
        await self.rebuilder.rebuild(claims, offsets, resync)

    async def tick(self, claim: Claim) -> None:
        """Candidates that expired."""
        await self.expiry.run(claim)

    async def repair(self, partition: int, holes: tuple[range, ...]) -> None:
        """Append what stands once more."""
        await repair_changelog(self.table, self.log_reader, partition, holes)

    def discard_if_damaged(self, error: Exception) -> bool:
        """One disk, one cause: every partition is recovered from the changelog."""
        if damaged := is_damage(error):
            self.table.discard_all()
        return damaged
