"""The upkeep of flows whose records may wait for what they refer to."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.ledger import Claim
from streams.giving_up import GivingUp
from streams.patience import Patience
from streams.release import Release
from streams.share_breaker import TooManyDeadLetters
from streams.shared_look import SharedLook
from streams.target_only import TargetUpkeep


@dataclass(frozen=True)
class ParkingUpkeep(TargetUpkeep):
    """See :class:`~streams.upkeep.Upkeep`. ``waiting`` finds partitions whose parked records need a look."""

    release: Release
    giving_up: GivingUp
    patience: Patience
    waiting: SharedLook

    @property
    def interval(self) -> float | None:
        """What has come is not kept waiting."""
        return 1.0

    def forget_ownership(self) -> None:
        """The time that others have waited is not ours."""
        self.patience.begin_anew()
        self.waiting.begin_anew()

    async def tick(self, claim: Claim) -> None:
        """Release what waited for something that is there now; give up on what has waited for too long."""
        patience_ends = self.patience.ends(claim.partition)
        if await self.waiting.finds(claim.partition) and await self.release.run(claim) and patience_ends:
            try:
                await self.giving_up.run(claim)
            except TooManyDeadLetters:
                self.patience.begin_anew()  # resumed at once, the flow must not stop before others had time to catch up
                raise
