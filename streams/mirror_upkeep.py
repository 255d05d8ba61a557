"""The upkeep of flows of which nothing but the target is derived from the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sinks.ledger import Claim
from streams.row_rebuild import RowRebuilder


@dataclass(frozen=True)
class MirrorUpkeep:
    """See :class:`~streams.upkeep.Upkeep`."""

    rebuilder: RowRebuilder[Any]

    @property
    def interval(self) -> float | None:
        """Nothing is urgent."""
        return None

    def forget_ownership(self) -> None:
        """Nothing is remembered."""

    def reflected(self, partition: int, topic: str, next_offset: int) -> int | None:  # noqa: ARG002 as the protocol has it
        """The target is what the ledger says."""
        return next_offset

    async def loss(self, partition: int) -> str | None:
        """Nothing is kept that could be lost."""

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """The target, from the source."""
        await self.rebuilder.rebuild(claims, offsets, resync)

    async def tick(self, claim: Claim) -> None:
        """Time alone changes nothing."""

    async def repair(self, partition: int, holes: tuple[range, ...]) -> None:
        """There is no changelog."""

    def discard_if_damaged(self, error: Exception) -> bool:  # noqa: ARG002 as the protocol has it
        """There are no local files."""
        return False
