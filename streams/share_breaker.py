"""Stops a flow when too many records become dead letters: a bad deploy must not empty a topic into them."""

from __future__ import annotations

from collections import deque


class TooManyDeadLetters(Exception):
    """The share passed its limit; the chunk was not committed."""


class ShareBreaker:
    """Looks at the last ``window`` records of a flow on this worker; trips above ``share``."""

    def __init__(self, window: int, share: float) -> None:
        self._window = window
        self._share = share
        self._chunks: deque[tuple[int, int]] = deque()
        self._read = 0
        self._dead = 0

    def check(self, read: int, dead: int) -> None:
        """Would this chunk pass? Raises :class:`TooManyDeadLetters`; judges only a full window, so that one row is no alarm."""
        total, bad = self._read + read, self._dead + dead
        if dead and total >= self._window and bad > self._share * total:
            raise TooManyDeadLetters(f"{bad} of the last {total} records became dead letters, more than {self._share:.0%}")

    def committed(self, read: int, dead: int) -> None:
        """Remember a committed chunk and forget what is older than the window."""
        self._chunks.append((read, dead))
        self._read += read
        self._dead += dead
        while self._chunks and self._read - self._chunks[0][0] >= self._window:
            old_read, old_dead = self._chunks.popleft()
            self._read -= old_read
            self._dead -= old_dead

    def reset(self) -> None:
        """An operator resumed the flow: begin anew."""
        self._chunks.clear()
        self._read = self._dead = 0
