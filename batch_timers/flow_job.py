"""What the jobs of batch flows have in common."""

from __future__ import annotations

from typing import Generic, TypeVar

from batch_timers.interface import Around
from flows.batch_model import BatchFlow
from flows.schedule import Schedule

F = TypeVar("F", bound=BatchFlow)


class FlowJob(Generic[F]):
    """That part of :class:`~batch_timers.interface.BatchJob`."""

    def __init__(self, flow: F) -> None:
        self.flow = flow

    @property
    def schedule(self) -> Schedule:
        """When it runs."""
        return self.flow.schedule

    async def expected(self, around: Around) -> int | None:  # noqa: ARG002 as the protocol has it
        """Nobody knows before the rows are read."""
        return None
