"""Probes: rows inserted into the source at a steady rate, each of which must show in the target by itself."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from random import Random
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

import psycopg

from bench.backlog import SEED
from bench.errors import BenchError
from bench.stage import Stage
from demo.population import Population

SEEN_SECONDS = 60.0
LOOK_SECONDS = 0.004  # the resolution; more often would take the CPU from what is measured

# The best score and the newest evaluation of the family: whatever stands there, this comes first.
_INSERT = """
INSERT INTO eligibility.eligibility_snapshots
    (family_id, scheme_code, evaluation_status, eligibility_score, confidence_score, explanation, evaluation_timestamp)
VALUES (%s, %s, 'RULE_ELIGIBLE', 1, 1, %s, clock_timestamp())
RETURNING snapshot_id
"""

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Probe:
    """An inserted row. ``text`` is its explanation, like no other; ``committed``: ``time.perf_counter()`` after the commit."""

    key: int
    family: str
    text: str
    committed: float


#: (connection to the target, probes) → texts of those that are visible.
Watch = Callable[[Connection, list[Probe]], set[str]]


class Families:
    """The families of the demo's population in a seeded order, all of them before any comes again.

    A probe must be visible before its family's next one, which would hide it: many families are needed.
    """

    def __init__(self, families: int) -> None:
        self._population = Population(SEED, families)
        self._ranks = cycle(Random(SEED).sample(range(families), families))  # noqa: S311 repeatable on purpose

    def take(self) -> tuple[str, str]:
        """Return the next family's id and a scheme that is evaluated for it."""
        family = self._population.family(next(self._ranks))
        return str(family.family_id), family.draw_scheme(Random(SEED)).code  # noqa: S311


class ProbeFlow:
    """Inserts probes at ``rate`` per second in a thread, each a transaction; watches the target for them.

    ``latencies``: text → (moment of the commit, seconds from there to visible). As a context manager it inserts inside.
    """

    def __init__(self, stage: Stage, families: Families, rate: float, watch: Watch) -> None:
        self.latencies: dict[str, tuple[float, float]] = {}
        self._stage = stage
        self._families = families
        self._rate = rate
        self._watch = watch
        self._outstanding: dict[str, Probe] = {}
        self._stop = Event()
        self._failure: BaseException | None = None
        self._writer = Thread(target=self._write, name="probes", daemon=True)
        self._target = stage.citizen.connect()

    def __enter__(self) -> Self:
        self._writer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._writer.join()
        if error is None:
            self.settle()
        self._target.close()

    def run(self, seconds: float) -> None:
        """Watch for so long."""
        end = time.perf_counter() + seconds
        self.until(lambda: time.perf_counter() >= end, "the time is over", seconds + SEEN_SECONDS)

    def until(self, condition: Callable[[], bool], what: str, within: float) -> None:
        """Watch until the condition holds; raises :class:`BenchError` with ``what`` when it does not."""
        deadline = time.perf_counter() + within
        while not condition():
            self.look()
            if self._failure is not None:
                raise self._failure
            if time.perf_counter() > deadline:
                raise BenchError(f"not within {within:.0f} s: {what}; {len(self._outstanding)} probes are not visible")
            time.sleep(LOOK_SECONDS)

    def settle(self) -> None:
        """Watch until every probe that is committed by now is visible."""
        now = time.perf_counter()
        waiting = [text for text, probe in list(self._outstanding.items()) if probe.committed <= now]
        self.until(lambda: self.latencies.keys() >= set(waiting), "probes are visible", SEEN_SECONDS)

    def look(self) -> None:
        """Ask the target once for the probes that are not visible yet."""
        waiting = list(self._outstanding.values())  # a copy: the thread adds to it
        seen = self._watch(self._target, waiting) if waiting else set()
        now = time.perf_counter()
        for text in seen:
            probe = self._outstanding.pop(text)
            self.latencies[text] = (probe.committed, now - probe.committed)

    def longest(self, since: float) -> float:
        """Return the longest wait in seconds of the visible probes that were committed after ``since``."""
        return max((wait for committed, wait in self.latencies.values() if committed >= since), default=0.0)

    def _write(self) -> None:
        try:
            with self._stage.warehouse.connect() as connection:
                self._insert_until_stopped(connection)
        except BaseException as error:  # noqa: BLE001 raised where the flow is watched
            self._failure = error

    def _insert_until_stopped(self, connection: Connection) -> None:
        number, began = 0, time.perf_counter()
        while not self._stop.wait(max(began + number / self._rate - time.perf_counter(), 0)):
            number += 1
            (family, scheme), text = self._families.take(), self._stage.new_name("probe")
            row = connection.execute(_INSERT, (family, scheme, text)).fetchone()
            assert row is not None, "RETURNING answers the row"
            self._outstanding[text] = Probe(row[0], family, text, time.perf_counter())
