"""What a lane looks after beside applying chunks: state that is derived from the log, and what time alone changes."""

from __future__ import annotations

from typing import Protocol

from sinks.ledger import Claim


class Upkeep(Protocol):
    """One per flow, shared by its lanes."""

    @property
    def interval(self) -> float | None:
        """Seconds between two calls of :meth:`tick`; ``None``: those of the settings."""

    def forget_ownership(self) -> None:
        """Partitions may have had other owners since."""

    def reflected(self, partition: int, topic: str, next_offset: int) -> int | None:
        """The offset up to which derived state knows the topic, whose ledger stands at ``next_offset``; ``None``: nothing."""

    async def loss(self, partition: int) -> str | None:
        """Why derived state must be built anew although its position is known, or ``None``."""
        ...

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Make the partition equal to the source; afterwards reading goes on at ``offsets`` (topic → offset)."""

    async def tick(self, claim: Claim) -> None:
        """Do what is due, under the ledger lock."""

    async def repair(self, partition: int, holes: tuple[range, ...]) -> None:
        """Make good what somebody else wrote into our changelog."""

    def discard_if_damaged(self, error: Exception) -> bool:
        """Throw damaged local files away, if ``error`` says that they are: the next start makes them anew."""
        ...
