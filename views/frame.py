"""What stands around every page: the time in both zones, and maintenance that goes on or comes soon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from views.answers import Question
from views.protocols import Clock

#: Maintenance is announced so long before.
ANNOUNCED: Final = timedelta(hours=24)


@dataclass(frozen=True)
class Window:
    """Maintenance: batch jobs do not start and those under way pause; event flows go on."""

    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True)
class Banner:
    """``now`` goes on; of what is to come, ``soon`` is the first."""

    now: Window | None
    soon: Window | None


class Frame:
    """Asks for maintenance as often as pages are looked at, and never waits long for it."""

    def __init__(self, windows: Callable[[], Awaitable[Sequence[Window]]], clock: Clock) -> None:
        self._windows = Question(windows, clock)
        self._clock = clock

    async def banner(self) -> Banner:
        """What to announce; nothing while nobody knows."""
        answer = await self._windows.answer()
        return banner(answer.value or (), self._clock())


def banner(windows: Sequence[Window], at: datetime) -> Banner:
    """Of several that go on, the one that ends last."""
    now = max((each for each in windows if each.starts_at <= at < each.ends_at), key=lambda each: each.ends_at, default=None)
    coming = (each for each in windows if at < each.starts_at <= at + ANNOUNCED)
    return Banner(now, min(coming, key=lambda each: each.starts_at, default=None))
