"""The upkeep of a summary flow: records that wait for what they refer to, and members whose golden record has moved."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.ledger import Claim
from streams.parking_upkeep import ParkingUpkeep
from streams.summary_moves import Moves


@dataclass(frozen=True)
class SummaryUpkeep(ParkingUpkeep):
    """See :class:`~streams.upkeep.Upkeep`."""

    moves: Moves

    async def tick(self, claim: Claim) -> None:
        """As for all that wait, then follow moves."""
        await super().tick(claim)
        await self.moves.run(claim)
