"""Keep a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

# A delay up to this many seconds is made up for; after a longer one (an outage) the rate goes on from now.
LONGEST_ARREARS: Final = 1.0


class Pace:
    """Spaces units of work to ``rate`` per second; 0 means no pause at all.

    ``clock`` gives monotonic seconds; ``wait`` gets the seconds to let pass and may return early to stop.
    """

    def __init__(self, rate: float, clock: Callable[[], float], wait: Callable[[float], object]) -> None:
        self._rate = rate
        self._clock = clock
        self._wait = wait
        self._due = clock()

    def spend(self, units: int) -> None:
        """Return when the next unit is due after ``units`` more were done."""
        if not self._rate:
            return
        now = self._clock()
        self._due = max(self._due, now - LONGEST_ARREARS) + units / self._rate
        if self._due > now:
            self._wait(self._due - now)
