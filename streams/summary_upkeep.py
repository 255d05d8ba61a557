"""The upkeep of a summary flow: records that wait for what they refer to, and members whose golden record has moved."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.ledger import Claim
from streams.parking_upkeep import ParkingUpkeep
from streams.shared_look import SharedLook
from streams.summary_moves import Moves


@dataclass(frozen=True)
class SummaryUpkeep(ParkingUpkeep):
    """See :class:`~streams.upkeep.Upkeep`. ``moved`` finds all partitions while there are notes: any lane may work on them."""

    moves: Moves
    moved: SharedLook

    def forget_ownership(self) -> None:
        """As for all that wait."""
        super().forget_ownership()
        self.moved.begin_anew()

    async def tick(self, claim: Claim) -> None:
        """As for all that wait, then follow moves."""
        await super().tick(claim)
        if await self.moved.finds(claim.partition):
            await self.moves.run(claim)
