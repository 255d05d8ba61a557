"""What a worker knows of itself."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from flows.tables import Database
from metrics import catalogue
from metrics.catalogue import EVENT_AGE
from metrics.samples import Distribution, Samples
from sinks.ledger import Outcome
from sinks.pool import Occupancy


class FlowEvents:
    """Counts of one flow since the worker started. Fed per chunk; fulfils ``streams.outcomes.Listener``."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._ages = Distribution(EVENT_AGE.buckets)

    def committed(self, counts: Mapping[Outcome, int], ages: Sequence[float]) -> None:
        """A chunk is visible; seconds from commit to commit of a sample of its records."""
        self._outcomes.update(counts)
        self._ages.add(ages)

    def add_to(self, samples: Samples, flow: str) -> None:
        """All outcomes, also those that did not occur: a rate needs a beginning."""
        for outcome in Outcome:
            samples.set(catalogue.EVENTS_TOTAL, self._outcomes[outcome], flow, outcome)
        samples.distribution(EVENT_AGE, self._ages, flow)


class Lag(Protocol):
    """How far a partition is behind."""

    @property
    def flow(self) -> str:
        """Its name."""

    @property
    def topic(self) -> str:
        """Its name."""

    @property
    def partition(self) -> int:
        """Its number."""

    @property
    def records(self) -> int:
        """Records that wait."""

    @property
    def seconds(self) -> float | None:
        """Age of the oldest; ``None`` when it is not known yet."""


class Lanes(Protocol):
    """What is asked of the lanes; each answers at once."""

    @property
    def resident_bytes(self) -> int:
        """Memory of the process."""

    def partition_lags(self) -> Iterable[Lag]:
        """How far each partition of this worker is behind."""

    def lane_states(self) -> Mapping[tuple[str, str], int]:
        """(flow, state) → lanes."""


def event_samples(events: Mapping[str, FlowEvents]) -> Samples:
    """Flow → counts, as samples."""
    samples = Samples()
    for flow, counts in events.items():
        counts.add_to(samples, flow)
    return samples


def lane_samples(lanes: Lanes) -> Samples:
    """Lag and states of the partitions that this worker has."""
    samples = Samples()
    for lag in lanes.partition_lags():
        labels = lag.flow, lag.topic, str(lag.partition)
        samples.set(catalogue.LAG_RECORDS, lag.records, *labels)
        if lag.seconds is not None:
            samples.set(catalogue.LAG_SECONDS, lag.seconds, *labels)
    for (flow, state), count in lanes.lane_states().items():
        samples.set(catalogue.LANES, count, flow, state)
    samples.set(catalogue.MEMORY, lanes.resident_bytes)
    return samples


def pool_samples(pools: Mapping[Database, Occupancy]) -> Samples:
    """How full the pools are."""
    samples = Samples()
    for database, pool in pools.items():
        samples.set(catalogue.POOL_SIZE, pool.size, database.value)
        samples.set(catalogue.POOL_IN_USE, pool.in_use, database.value)
        samples.set(catalogue.POOL_WAITING, pool.waiting, database.value)
    return samples


def process_samples(started_at: float, version: str) -> Samples:
    """Which build runs, and since when: seconds since 1970."""
    samples = Samples()
    samples.set(catalogue.STARTED, started_at)
    samples.set(catalogue.BUILD, 1, version, platform.python_version())
    return samples


def table_samples(sizes: Mapping[str, int], _: float) -> Samples:
    """Table → bytes of its files."""
    samples = Samples()
    for table, size in sizes.items():
        samples.set(catalogue.ROCKSDB, size, table)
    return samples
