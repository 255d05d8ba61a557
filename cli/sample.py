"""One look at the running system, from cheap queries on the target databases only."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from cli.databases import Databases, databases
from cli.errors import message
from flows.model import Flow
from flows.registry import FLOWS
from flows.tables import Database
from settings import Settings
from sinks.operations.activity import activity
from sinks.operations.flow_control import flow_status
from sinks.operations.positions import positions
from sinks.operations.workers import WorkerStatus, workers


@dataclass(frozen=True)
class FlowSample:
    """A flow at one moment. Counts are totals; percentiles, commit → visible, are those of the slowest worker.

    ``lag_records``, ``lag_seconds`` and the percentiles are unknown (None) while no worker reports.
    """

    flow: str
    state: str
    events: int
    rows: int
    rows_written: int
    dead_lettered: int
    lag_records: int | None
    lag_seconds: float | None
    p50_ms: float | None
    p99_ms: float | None


@dataclass(frozen=True)
class Sample:
    """All flows and workers. ``trouble`` says why a look found nothing."""

    at: datetime
    flows: list[FlowSample]
    workers: list[WorkerStatus]
    trouble: str | None = None


@dataclass(frozen=True)
class Rates:
    """Per second, between two looks."""

    events: float
    rows_written: float


def take_sample(settings: Settings) -> Sample:
    """Look once, on fresh connections, so that a restarted database is found again."""
    now = datetime.now(UTC)
    try:
        with databases(settings) as sessions:
            found = workers(sessions[Database.CITIZEN])
            live = [worker for worker in found if not worker.stale]
            return Sample(now, [_flow_sample(sessions, flow, live) for flow in FLOWS], found)
    except psycopg.Error as error:
        return Sample(now, [], [], message(error))


def rates(earlier: Sample | None, later: Sample) -> dict[str, Rates]:
    """Return the rates of the flows that both samples hold. Counters that began anew count as still."""
    before = {flow.flow: flow for flow in earlier.flows} if earlier else {}
    seconds = (later.at - earlier.at).total_seconds() if earlier else 0.0
    return {
        flow.flow: Rates(
            max(flow.events - before[flow.flow].events, 0) / seconds,
            max(flow.rows_written - before[flow.flow].rows_written, 0) / seconds,
        )
        for flow in later.flows
        if flow.flow in before and seconds > 0
    }


def _flow_sample(sessions: Databases, flow: Flow, live: list[WorkerStatus]) -> FlowSample:
    session = sessions[flow.target.table.database]
    ledger, target = positions(session, flow), activity(session, flow.target.table)
    partitions, summaries = list(_reports(live, "partitions", flow)), list(_reports(live, "flows", flow))
    lags = [each["lag_records"] for each in partitions]
    return FlowSample(
        flow=flow.name,
        state=flow_status(session, flow).state,
        events=sum(each.records_read for each in ledger),
        rows=target.rows,
        rows_written=target.written,
        dead_lettered=sum(each.dead_lettered for each in ledger),
        lag_records=sum(lags) if lags else None,
        lag_seconds=_worst(each["lag_seconds"] for each in partitions),
        p50_ms=_worst(each["p50_ms"] for each in summaries),
        p99_ms=_worst(each["p99_ms"] for each in summaries),
    )


def _reports(live: list[WorkerStatus], kind: str, flow: Flow) -> Iterator[dict[str, Any]]:
    """Pick what workers say of a flow under one heading of their state."""
    return (each for worker in live for each in worker.state.get(kind, ()) if each["flow"] == flow.name)


def _worst(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
