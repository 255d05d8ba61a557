"""Run a trickle at a rate until told to stop, through outages of the database."""

from __future__ import annotations

import time
from collections import Counter
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

import psycopg

from demo.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from enum import StrEnum
    from threading import Event

    from demo.databases import Connection
    from demo.trickle import Trickle

# Transactions per second up to which every change is one of its own; a higher rate packs several into one.
TRANSACTIONS_PER_SECOND: Final = 200
BURST_AT_FULL_SPEED: Final = 500

BACKOFF: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
OUTAGE: Final = (psycopg.OperationalError, psycopg.InterfaceError)


def burst_for(rate: float) -> int:
    """Return the changes per transaction that suit ``rate`` changes per second (0: as fast as possible)."""
    return max(1, round(rate / TRANSACTIONS_PER_SECOND)) if rate else BURST_AT_FULL_SPEED


class Runner:
    """Makes a trickle's changes on connections that it opens itself.

    ``connect`` opens an autocommit connection, ``say`` gets one line when the database fails and one when it works
    again, ``stop`` ends the run between two transactions.
    """

    def __init__(self, trickle: Trickle, connect: Callable[[], Connection], say: Callable[[str], None], stop: Event) -> None:
        self._trickle = trickle
        self._connect = connect
        self._say = say
        self._stop = stop
        self._conn: Connection | None = None

    def run(self, rate: float, burst: int, limit: int | None = None) -> Counter[StrEnum]:
        """Commit ``rate`` changes per second, ``burst`` per transaction; returns what was committed.

        Ends after ``limit`` changes or when stopped. A transaction whose commit an outage left unanswered is not
        counted, although it may stand. Errors other than an outage are raised.
        """
        done: Counter[StrEnum] = Counter()
        pace = Pace(rate, time.monotonic, self._stop.wait)
        try:
            while not self._stop.is_set() and (limit is None or done.total() < limit):
                size = burst if limit is None else min(burst, limit - done.total())
                done += self._commit(size)
                pace.spend(size)
        finally:
            self._disconnect()
        return done

    def _commit(self, size: int) -> Counter[StrEnum]:
        try:
            return self._attempt(size)
        except OUTAGE as error:
            return self._outlast(size, error)

    def _outlast(self, size: int, error: psycopg.Error) -> Counter[StrEnum]:
        began = time.monotonic()
        self._say(f"database not usable, trying until it is: {_first_line(error)}")
        for pause in _pauses():
            self._disconnect()
            if self._stop.wait(pause):
                break
            try:
                done = self._attempt(size)
            except OUTAGE:
                continue
            self._say(f"database usable again after {time.monotonic() - began:.1f} s")
            return done
        return Counter()

    def _attempt(self, size: int) -> Counter[StrEnum]:
        if self._conn is None:
            self._conn = self._connect()
        return self._trickle.burst(self._conn, size)

    def _disconnect(self) -> None:
        if self._conn is not None:
            self._conn.close()
        self._conn = None


def _pauses() -> Iterator[float]:
    return chain(BACKOFF, repeat(BACKOFF[-1]))


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
