"""How a sample looks: a picture for a terminal, one line per flow for a log."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from cli.output import table
from cli.sample import FlowSample, Rates, Sample
from cli.status import workers_table
from stack.instance import InstanceStatus
from views.formatting import both_zones, count, duration

_COLUMNS = (
    *("flow", "state", "events", "events/s", "rows", "rows written", "written/s", "dead letters"),
    *("lag records", "lag", "commit → visible p50", "p99"),
)


def picture(sample: Sample, rates: Mapping[str, Rates], processes: Sequence[InstanceStatus]) -> RenderableType:
    """Build the live view; Ctrl-C ends it."""
    head = Text(both_zones(sample.at), style="bold")
    if sample.trouble is not None:
        return Group(head, Text(f"{sample.trouble}; looking again", style="red"), *_processes(processes))
    flows = [_row(flow, rates.get(flow.flow)) for flow in sample.flows]
    return Group(head, table("Flows", _COLUMNS, flows), workers_table(sample.workers), *_processes(processes))


def lines(sample: Sample, rates: Mapping[str, Rates]) -> Iterator[str]:
    """Render one line per flow."""
    now = both_zones(sample.at)
    if sample.trouble is not None:
        yield f"{now}  {sample.trouble}; looking again"
    for flow in sample.flows:
        yield f"{now}  {_line(flow, rates.get(flow.flow))}  {_workers(sample)}"


def _line(flow: FlowSample, rate: Rates | None) -> str:
    events = f"events {flow.events:,}" + (f" ({rate.events:,.0f}/s)" if rate else "")
    written = f"rows written {flow.rows_written:,}" + (f" ({rate.rows_written:,.0f}/s)" if rate else "")
    lag = f"lag {count(flow.lag_records)} records, {duration(flow.lag_seconds)}"
    visible = f"commit → visible p50 {_milliseconds(flow.p50_ms)} p99 {_milliseconds(flow.p99_ms)}"
    return f"{flow.flow} {flow.state}  {events}  {written}  {lag}  {visible}"


def _row(flow: FlowSample, rate: Rates | None) -> tuple[object, ...]:
    return (
        *(flow.flow, flow.state, flow.events, rate and round(rate.events)),
        *(flow.rows, flow.rows_written, rate and round(rate.rows_written), flow.dead_lettered),
        *(flow.lag_records, duration(flow.lag_seconds), _milliseconds(flow.p50_ms), _milliseconds(flow.p99_ms)),
    )


def _workers(sample: Sample) -> str:
    live = [worker for worker in sample.workers if not worker.stale]
    views = ", ".join(worker.web_url for worker in live if worker.web_url)
    return f"workers {len(live)}" + (f" ({views})" if views else "")


def _processes(processes: Sequence[InstanceStatus]) -> list[RenderableType]:
    if not processes:
        return []
    rows = [(each.name, str(each.pid or "-"), each.restarts, each.log) for each in processes]
    return [table("Processes", ("process", "pid", "restarts", "log"), rows)]


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"
