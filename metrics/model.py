"""What a metric is: the words of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "sync_"


class Kind(StrEnum):
    """Prometheus' type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Scope(StrEnum):
    """Who exports a metric, and so how its series of several processes are put together.

    ``WORKER``: each worker its own part: add them up. ``PARTITION``: the owner of a partition, and everybody while it has none.
    ``CLUSTER``: every worker the same fact, as of its own last look: ``max by``. ``CALLBACKS``: each callbacks service its part.
    """

    WORKER = "worker"
    PARTITION = "partition"
    CLUSTER = "cluster"
    CALLBACKS = "callbacks"


@dataclass(frozen=True, eq=False)
class Metric:
    """One line of the catalogue. ``name`` is what Prometheus sees; a histogram has ``_bucket``, ``_sum`` and ``_count`` of it.

    ``buckets``: the upper bounds of a histogram, in its unit. Each is itself and equals no other: it is a key a thousand times in
    every scrape, and must not be hashed by its texts.
    """

    name: str
    kind: Kind
    unit: str
    scope: Scope
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which samples appear."""
        if self.kind is Kind.HISTOGRAM:
            return tuple(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return (self.name,)


@dataclass(frozen=True)
class Group:
    """Metrics of one subject: a section of the document."""

    title: str
    text: str
    metrics: tuple[Metric, ...]
