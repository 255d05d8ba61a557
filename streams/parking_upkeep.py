"""The upkeep of flows whose records may wait for what they refer to."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.ledger import Claim
from streams.patience import Patience
from streams.release import Release
from streams.target_only import TargetUpkeep


@dataclass(frozen=True)
class ParkingUpkeep(TargetUpkeep):
    """See :class:`~streams.upkeep.Upkeep`."""

    release: Release
    patience: Patience

    @property
    def interval(self) -> float | None:
        """What has come is not kept waiting."""
        return 1.0

    def forget_ownership(self) -> None:
        """The time that others have waited is not ours."""
        self.patience.begin_anew()

    async def tick(self, claim: Claim) -> None:
        """Release what waited for something that is there now; give up on what has waited for too long."""
        await self.release.run(claim, give_up=self.patience.ends(claim.partition))
