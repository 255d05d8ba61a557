"""A worker's state as ``sync.worker.state`` holds it, read with care: the worker may run an older or newer version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


class ReportError(ValueError):
    """A report that cannot be understood; the message names the field."""


@dataclass(frozen=True)
class AgentReport:
    """A topic that the worker reads when partitions of it are assigned to it."""

    flow: str
    topic: str


@dataclass(frozen=True)
class PartitionReport:
    """An owned partition. ``rate`` in records per second; ``outcomes`` counted since the worker took it over."""

    flow: str
    topic: str
    partition: int
    state: str = "unknown"
    next_offset: int | None = None
    end_offset: int | None = None
    lag_records: int = 0
    lag_seconds: float = 0.0
    rate: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    last_error: str | None = None


@dataclass(frozen=True)
class FlowReport:
    """A flow on this worker. Latencies are commit in the source → visible in the target, of recent records."""

    flow: str
    state: str = "unknown"
    rate: float = 0.0
    events: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True)
class WorkerReport:
    """Everything that a worker says of itself."""

    name: str = ""
    pid: int | None = None
    host: str | None = None
    rss_bytes: int | None = None
    agents: tuple[AgentReport, ...] = ()
    partitions: tuple[PartitionReport, ...] = ()
    flows: tuple[FlowReport, ...] = ()


def read_report(state: Mapping[str, Any]) -> WorkerReport:
    """Fields that are missing get defaults, unknown ones are ignored; raises :class:`ReportError`."""
    try:
        return msgspec.convert(dict(state), WorkerReport, strict=False)
    except msgspec.ValidationError as error:
        raise ReportError(f"the worker's report is not in the expected shape: {error}") from None
