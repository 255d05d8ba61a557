"""Waiting for a condition: every wait has a deadline, and says what it was waiting for when that passes."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PAUSE_SECONDS = 0.05


def eventually(condition: Callable[[], T], what: str, *, within: float) -> T:
    """Return the condition's first true result; AssertionError with `what` and its last result after the deadline."""
    deadline = time.monotonic() + within
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}; at last: {result!r}")
        time.sleep(PAUSE_SECONDS)
    return result


def absent(problems: Callable[[], T], what: str, *, within: float) -> None:
    """Return as soon as `problems` finds none; AssertionError with what it found last after the deadline."""
    last: list[T] = []

    def gone() -> bool:
        last[:] = [problems()]
        return not last[0]

    try:
        eventually(gone, what, within=within)
    except AssertionError:
        raise AssertionError(f"not within {within:g} s: {what}; what is left: {last[0]!r}") from None
