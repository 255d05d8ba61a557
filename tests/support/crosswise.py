"""Two transactions of which the one that begins first commits last: log positions and commits in opposite orders."""

from typing import Any

import psycopg
from psycopg.errors import LockNotAvailable

from demo.trickle import Trickle, make

Connection = psycopg.Connection[Any]


def commit_crosswise(first: Connection, second: Connection, trickle: Trickle, pairs: int) -> int:
    """Make pairs of changes; returns how many could be made crosswise: where both want one row, only the first is made."""
    return sum(_one_pair(first, second, trickle) for _ in range(pairs))


def _one_pair(first: Connection, second: Connection, trickle: Trickle) -> bool:
    begun, overtaking = trickle.next_change(), trickle.next_change()
    with first.transaction():
        make(first, begun)
        try:
            with second.transaction():
                second.execute("SET LOCAL lock_timeout = '200ms'")
                make(second, overtaking)
        except LockNotAvailable:
            return False
    return True
