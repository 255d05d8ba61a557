"""How fast a sender may post."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """Holds up to ``burst`` tokens and gains ``rate`` of them per second. ``clock``: seconds that only grow."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._counted_at = clock()

    def take(self) -> float:
        """Take a token and return 0, or take none and return the seconds until there is one."""
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._counted_at) * self._rate, self._burst)
        self._counted_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate
