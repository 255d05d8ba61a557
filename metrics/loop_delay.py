"""How long the event loop is held up: while it is, nothing is read, applied or answered."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from metrics import catalogue
from metrics.samples import Samples

INTERVAL: Final = 0.5
WINDOW: Final = 60.0


class LoopDelay:
    """Wakes up regularly and notes how late that was."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque()

    async def run(self) -> None:
        """Measure, until cancelled."""
        while True:
            due = time.monotonic() + INTERVAL
            await asyncio.sleep(INTERVAL)
            self.note(time.monotonic(), due)

    def note(self, now: float, due: float) -> None:
        """Woken ``now`` instead of at ``due``, in seconds of a clock that only grows."""
        self._late.append((now, max(now - due, 0.0)))
        while self._late[0][0] < now - WINDOW:
            self._late.popleft()

    def samples(self) -> Samples:
        """The longest delay of the last minute."""
        samples = Samples()
        samples.set(catalogue.LOOP_DELAY, max((late for _, late in self._late), default=0.0))
        return samples
