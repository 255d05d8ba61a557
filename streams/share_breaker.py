"""Stops a flow when too many records become dead letters: a bad deploy must not empty a topic into them."""

from __future__ import annotations

from collections import deque


class TooManyDeadLetters(Exception):
    """The share passed its limit; the chunk was not committed."""


class ShareBreaker:
    """Looks at the last ``window`` records of a flow that were decided on this worker; trips above ``share``.

    A record that is parked is decided when it is applied or given up.
    """

    def __init__(self, window: int, share: float) -> None:
        self._window = window
        self._share = share
        self._chunks: deque[tuple[int, int]] = deque()
        self._decided = 0
        self._dead = 0

    def check(self, decided: int, dead: int) -> None:
        """Would these pass? Raises :class:`TooManyDeadLetters`; judges only a full window, so that one row is no alarm."""
        total, bad = self._decided + decided, self._dead + dead
        if dead and total >= self._window and bad > self._share * total:
            raise TooManyDeadLetters(f"{bad} of the last {total} records would be dead letters, more than {self._share:.0%}")

    def committed(self, decided: int, dead: int) -> None:
        """Remember what was committed and forget what is older than the window."""
        self._chunks.append((decided, dead))
        self._decided += decided
        self._dead += dead
        while self._chunks and self._decided - self._chunks[0][0] >= self._window:
            old_decided, old_dead = self._chunks.popleft()
            self._decided -= old_decided
            self._dead -= old_dead

    def reset(self) -> None:
        """An operator resumed the flow: begin anew."""
        self._chunks.clear()
        self._decided = self._dead = 0
