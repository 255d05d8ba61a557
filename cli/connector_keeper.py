"""Restart connectors that have failed.

Debezium waits for a database that goes away, but gives up when that happens while a task starts, or when the database
refuses it. Kafka Connect never restarts a task that gave up.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import httpx

from cli.connect_rest import ConnectorStatus, connect_rest
from cli.connectors import connector_names
from cli.errors import message
from settings import Settings
from sinks.operations.audit import RefusedError
from stack.backoff import Backoff

LOOK_SECONDS: Final = 1.0
# The cause may be one that no restart mends: pauses grow, and status and alarms go on saying that it failed.
BACKOFF: Final = Backoff(first=2.0, longest=10.0, steady=60.0)


class RestartSchedule:
    """When a connector that fails again and again is restarted. ``now`` is in seconds of any clock that only grows."""

    def __init__(self, backoff: Backoff = BACKOFF) -> None:
        self._backoff = backoff
        self._pause: float | None = None
        self._restarted = 0.0

    def due(self, now: float) -> bool:
        """Whether a connector that is found failed ``now`` is to be restarted; the answer yes counts as done."""
        lived = now - self._restarted
        if self._pause is not None and lived < self._pause:
            return False
        self._pause = self._backoff.next_pause(self._pause, lived)
        self._restarted = now
        return True


def keep_connectors(settings: Settings, stop: threading.Event, say: Callable[[str], None]) -> None:
    """Look every second and restart what has failed, until ``stop`` is set; Connect itself may come and go."""
    schedules = {name: RestartSchedule() for name in connector_names()}
    trouble: str | None = None
    while not stop.wait(LOOK_SECONDS):
        try:
            _restart_failed(settings, schedules, say)
            trouble = None
        except (httpx.HTTPError, RefusedError) as error:
            if trouble is None:
                say(message(error))
            trouble = message(error)


@contextmanager
def kept_connectors(settings: Settings, say: Callable[[str], None]) -> Iterator[None]:
    """Keep the connectors running in the background while the block runs."""
    stop = threading.Event()
    keeper = threading.Thread(target=keep_connectors, args=(settings, stop, say), name="connector keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _restart_failed(settings: Settings, schedules: dict[str, RestartSchedule], say: Callable[[str], None]) -> None:
    with connect_rest(settings.connect) as rest:
        for name, schedule in schedules.items():
            status = rest.status(name)
            if status.failed and schedule.due(time.monotonic()):
                say(f"connector {name} has failed ({_cause(status)}) and is restarted")
                rest.restart(name)


def _cause(status: ConnectorStatus) -> str:
    traces = (status.trace, *(task.trace for task in status.tasks))
    return next((trace for trace in traces if trace), "no cause given")
