"""The upkeep of a summary flow: records that wait for what they refer to, and members whose golden record has moved."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.ledger import Claim
from streams.patience import Patience
from streams.release import Release
from streams.summary_moves import Moves
from streams.summary_rebuild import SummaryRebuilder


@dataclass(frozen=True)
class SummaryUpkeep:
    """See :class:`~streams.upkeep.Upkeep`."""

    rebuilder: SummaryRebuilder
    release: Release
    moves: Moves
    patience: Patience

    @property
    def interval(self) -> float | None:
        """What has come or moved is not kept waiting."""
        return 1.0

    def forget_ownership(self) -> None:
        """The time that others have waited is not ours."""
        self.patience.begin_anew()

    def reflected(self, partition: int, topic: str, next_offset: int) -> int | None:  # noqa: ARG002 as the protocol has it
        """The target is what the ledger says."""
        return next_offset

    async def loss(self, partition: int) -> str | None:
        """Nothing is kept that could be lost."""

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """The members and the target, from the source."""
        await self.rebuilder.rebuild(claims, offsets, resync)

    async def tick(self, claim: Claim) -> None:
        """Release what waited for something that is there now, give up on what has waited for too long, and follow moves."""
        await self.release.run(claim, give_up=self.patience.ends(claim.partition))
        await self.moves.run(claim)

    async def repair(self, partition: int, holes: tuple[range, ...]) -> None:
        """There is no changelog."""

    def discard_if_damaged(self, error: Exception) -> bool:  # noqa: ARG002 as the protocol has it
        """There are no local files."""
        return False
