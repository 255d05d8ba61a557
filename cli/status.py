"""`status`: flows, positions, dead letters, workers, connectors, jobs."""

from collections.abc import Iterable

import typer
from rich.console import RenderableType
from rich.text import Text

from cli.connect import connectors_table
from cli.errors import PROBLEM
from cli.job_status import job_rows
from cli.options import Json
from cli.output import problem_lines, show, table
from cli.status_report import FlowReport, status_report
from settings import load_settings
from sinks.operations import letters, parked
from sinks.operations.workers import WorkerStatus
from views.formatting import both_zones, ranges

_OUTCOMES = ("applied", "superseded", "filtered", "parked", "dead_lettered", "tombstones")


def status(*, as_json: Json = False) -> None:
    """Show flows, positions, dead letters, workers, connectors and jobs. Exit code 1 when something is wrong."""
    report = status_report(load_settings())
    parts = (_flows_table(report.flows), _positions_table(report.flows), workers_table(report.workers))
    jobs = table("Jobs", ("job", "last run", "state", "progress", "next slot"), job_rows(report.jobs))
    show(report, *parts, connectors_table(report.connectors), jobs, *problem_lines(report.problems), as_json=as_json)
    raise typer.Exit(PROBLEM if report.problems else 0)


def workers_table(workers: Iterable[WorkerStatus]) -> RenderableType:
    """Build a table with one row for each worker."""
    columns = ("worker", "process", "partitions", "memory MB", "seen", "web view")
    rows = [(each.name, _process(each), owned_partitions(each), _megabytes(each), _seen(each), each.web_url) for each in workers]
    return table("Workers", columns, rows)


def owned_partitions(worker: WorkerStatus) -> str:
    """Name the partitions that a worker owns, such as ``eligibility_hints 0-3, 7``."""
    owned: dict[str, set[int]] = {}
    for each in worker.state.get("partitions", ()):
        owned.setdefault(each["flow"], set()).add(each["partition"])
    return "; ".join(f"{flow} {ranges(numbers)}" for flow, numbers in sorted(owned.items())) or "none"


def _flows_table(flows: Iterable[FlowReport]) -> RenderableType:
    columns = ("flow", "state", "reason", "since", "lag", "parked keys", "open dead letters")
    rows = [
        (
            *(flow.status.flow, flow.status.state, flow.status.reason, both_zones(flow.status.changed_at)),
            _total_lag(flow),
            parked.waiting(flow.parked),
            letters.unsettled(flow.dead_letters),
        )
        for flow in flows
    ]
    return table("Flows", columns, rows)


def _positions_table(flows: Iterable[FlowReport]) -> RenderableType:
    columns = ("topic", "partition", "owner", "next", "end", "lag", *(name.replace("_", " ") for name in _OUTCOMES))
    rows = [
        (
            *(each.position.topic, each.position.partition, each.position.owner),
            *(each.position.next_offset, each.end_offset, each.lag),
            *(getattr(each.position, name) for name in _OUTCOMES),
        )
        for flow in flows
        for each in flow.partitions
    ]
    return table("Positions", columns, rows)


def _total_lag(flow: FlowReport) -> int | None:
    lags = [each.lag for each in flow.partitions if each.lag is not None]
    return sum(lags) if lags else None


def _process(worker: WorkerStatus) -> str:
    return f"{worker.state.get('pid', '?')} on {worker.state.get('host', '?')}"


def _megabytes(worker: WorkerStatus) -> int | None:
    resident = worker.state.get("rss_bytes")
    return round(resident / 2**20) if resident else None


def _seen(worker: WorkerStatus) -> Text:
    seen = both_zones(worker.seen_at)
    return Text(f"{seen}, stale: gone or cut off", style="red") if worker.stale else Text(seen)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)
