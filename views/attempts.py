"""How often somebody may try to sign in."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import timedelta
from typing import Final

from views.protocols import Clock

MOST: Final = 5
WITHIN: Final = timedelta(minutes=1)
_ADDRESSES: Final = 1000  # more than that at once are no operators; what is remembered stays bounded


class Attempts:
    """Failures by address. Whoever has failed too often waits; others do not wait for them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> int:
        """Whole seconds until this address may try again; 0: now."""
        failures = self._failures.get(address)
        if failures is None or len(failures) < MOST:
            return 0
        left = failures[0] + WITHIN.total_seconds() - self._clock().timestamp()
        return max(0, int(left) + 1) if left > 0 else 0

    def failed(self, address: str) -> None:
        """Remember it."""
        self._failures.setdefault(address, deque(maxlen=MOST)).append(self._clock().timestamp())
        self._failures.move_to_end(address)
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)

    def forget(self, address: str) -> None:
        """Begin anew: somebody has signed in from there."""
        self._failures.pop(address, None)
