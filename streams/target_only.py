"""What the kinds of flow have in common of which nothing but the target is derived from the log: all is in the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sinks.ledger import Claim, Locked
from streams.chunk import Chunk
from tables.entry import Version, version_of


class TargetApplier:
    """That part of :class:`~streams.applier.Applier`."""

    def has_accepted(self, claim: Claim, locked: Locked, truncate: Version) -> bool:  # noqa: ARG002 as the protocol has it
        """Compare with the fence of the last rebuild."""
        return truncate <= version_of(locked.rebuilt_epoch, locked.rebuilt_lsn)

    async def catch_up(self, claim: Claim, chunk: Chunk, next_offset: int) -> None:
        """Nothing is kept beside the target."""


class TargetApplication:
    """That part of :class:`~streams.applier.Application`."""

    async def abandon(self, *, undo: bool) -> None:
        """The transaction takes everything back."""

    async def confirm(self) -> tuple[range, ...]:
        """Nothing was written elsewhere."""
        return ()


class TargetRebuilder(Protocol):
    """Makes partitions of the target equal to the source."""

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """See :meth:`streams.upkeep.Upkeep.rebuild`."""


@dataclass(frozen=True)
class TargetUpkeep:
    """See :class:`~streams.upkeep.Upkeep`."""

    rebuilder: TargetRebuilder

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
