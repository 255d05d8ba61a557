"""When to give up waiting: not before those who bring what is waited for had time to catch up, too."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

#: After an outage or a restart all flows read on at the same time; what is waited for may lie in the log.
GRACE_SECONDS: Final = 60.0
#: Looks that are further apart than this were interrupted.
BREAK_SECONDS: Final = 10.0


class Patience:
    """Knows for how long partitions have been looked at without a break. ``grace`` in seconds, ``clock`` monotonic."""

    def __init__(self, grace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._grace = grace
        self._clock = clock
        self._looks: dict[int, tuple[float, float]] = {}

    @classmethod
    def within(cls, deadline: float) -> Patience:
        """For something that waits for ``deadline`` seconds; patience never lasts longer."""
        return cls(min(deadline, GRACE_SECONDS))

    def ends(self, partition: int) -> bool:
        """Note a look at the partition; returns whether looks have gone on for long enough."""
        now = self._clock()
        first, last = self._looks.get(partition, (now, now))
        if now - last > BREAK_SECONDS:
            first = now
        self._looks[partition] = (first, now)
        return now - first >= self._grace

    def begin_anew(self) -> None:
        """Other workers may have had the partitions meanwhile."""
        self._looks.clear()
