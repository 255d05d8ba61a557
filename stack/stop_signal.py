"""Waiting in the foreground until somebody wants the program to stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_requested() -> Iterator[threading.Event]:
    """Yield an event that is set by Ctrl-C, SIGTERM or a closed terminal; main thread only.

    Inside, none of these interrupts what is going on: the caller stops everything in order when it sees the event.
    """
    requested = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        requested.set()

    previous = {number: signal.signal(number, note) for number in STOP_SIGNALS}
    try:
        yield requested
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
