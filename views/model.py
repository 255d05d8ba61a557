"""What the overview shows, as plain values: the pages render it, ``/api/overview.json`` is exactly it.

Rates are records per second, lags seconds, latencies milliseconds from commit in the source to visible in the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from views.levels import Level
from views.report import PartitionReport


@dataclass(frozen=True)
class Holding:
    """Partitions of one topic with one owner; of partitions that nobody owns, ``last_owner`` had them before."""

    flow: str
    topic: str
    partitions: tuple[int, ...]
    last_owner: str | None = None


@dataclass(frozen=True)
class Owner:
    """A worker and what it owns. ``name`` is ``None`` for what nobody owns."""

    name: str | None
    holdings: tuple[Holding, ...]


@dataclass(frozen=True)
class PartitionError:
    """The last error of some partitions."""

    text: str
    partitions: tuple[Holding, ...]


@dataclass(frozen=True)
class ThisWorker:
    """The worker that serves the page. ``outcomes`` since it took its partitions over; ``agents`` with what they own."""

    name: str
    pid: int | None
    host: str | None
    rss_bytes: int | None
    rate: float
    lag_seconds: float | None
    lag_records: int
    p50_ms: float | None
    p99_ms: float | None
    outcomes: dict[str, int]
    agents: tuple[Holding, ...]
    partitions: tuple[PartitionReport, ...]
    errors: tuple[PartitionError, ...]


@dataclass(frozen=True)
class DatabaseLine:
    """A database. ``connections`` of our role; ``heartbeat_seconds`` since its connector wrote into it, by its own clock.

    ``state``: ``alive`` or ``away``; of one that is away the rest is what was known last.
    """

    name: str
    state: str
    version: str | None
    started_at: datetime | None
    standby: bool | None
    connections: int | None
    heartbeat_at: datetime | None
    heartbeat_seconds: float | None


@dataclass(frozen=True)
class FlowLine:
    """A flow over all workers. Rate and lag are what the workers report now, the counts are the ledger's.

    ``newest_change``: when the newest change that was applied was committed in its source.
    """

    name: str
    title: str
    state: str
    reason: str | None
    changed_by: str | None
    lost: str | None
    changed_at: datetime | None
    rate: float
    lag_seconds: float | None
    lag_records: int | None
    newest_change: datetime | None
    p50_ms: float | None
    p99_ms: float | None
    p99_level: Level
    outcomes: dict[str, int]
    records_read: int
    parked: int
    dead_letters: int
    owned: int
    partitions: int


@dataclass(frozen=True)
class WorkerLine:
    """A worker of the group. ``problem`` says why its report cannot be read."""

    name: str
    here: bool
    state: str
    silent_seconds: float | None
    started_at: datetime | None
    web_url: str | None
    host: str | None
    pid: int | None
    rss_bytes: int | None
    partitions: int
    rate: float | None
    lag_seconds: float | None
    problem: str | None


@dataclass(frozen=True)
class Attention:
    """Something that needs a look. The text holds no figure that changes every second: it is read out when it changes."""

    level: Level
    text: str
    section: str


@dataclass(frozen=True)
class Silence:
    """A part of the page that is as old as ``since``; ``None`` when it never was known."""

    part: str
    problem: str
    since: datetime | None


@dataclass(frozen=True)
class Overview:
    """One look at everything."""

    at: datetime
    name: str
    attention: tuple[Attention, ...]
    silences: tuple[Silence, ...]
    worker: ThisWorker
    databases: tuple[DatabaseLine, ...]
    flows: tuple[FlowLine, ...]
    workers: tuple[WorkerLine, ...]
    owners: tuple[Owner, ...]
