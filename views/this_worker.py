"""What the worker that serves the page says of itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from views.model import Holding, PartitionError, ThisWorker
from views.report import AgentReport, PartitionReport, WorkerReport


def this_worker(report: WorkerReport) -> ThisWorker:
    """Sum up all partitions; latencies are those of the slowest flow."""
    partitions = report.partitions
    return ThisWorker(
        name=report.name,
        pid=report.pid,
        host=report.host,
        rss_bytes=report.rss_bytes,
        rate=round(sum(partition.rate for partition in partitions), 1),
        lag_seconds=max((partition.lag_seconds for partition in partitions), default=None),
        lag_records=sum(partition.lag_records for partition in partitions),
        p50_ms=max((flow.p50_ms for flow in report.flows if flow.p50_ms is not None), default=None),
        p99_ms=max((flow.p99_ms for flow in report.flows if flow.p99_ms is not None), default=None),
        outcomes=_outcomes(partitions),
        agents=tuple(_agent(agent, partitions) for agent in report.agents),
        partitions=partitions,
        errors=_errors(partitions),
    )


def _outcomes(partitions: Iterable[PartitionReport]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for row in partitions:
        total.update(row.outcomes)
    return dict(total)


def _agent(agent: AgentReport, partitions: Iterable[PartitionReport]) -> Holding:
    owned = (row.partition for row in partitions if (row.flow, row.topic) == (agent.flow, agent.topic))
    return Holding(agent.flow, agent.topic, tuple(sorted(owned)))


def _errors(partitions: Iterable[PartitionReport]) -> tuple[PartitionError, ...]:
    affected: defaultdict[str, list[PartitionReport]] = defaultdict(list)
    for row in partitions:
        if row.last_error:
            affected[row.last_error].append(row)
    return tuple(PartitionError(text, _holdings(rows)) for text, rows in affected.items())


def _holdings(rows: Iterable[PartitionReport]) -> tuple[Holding, ...]:
    held: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        held[row.flow, row.topic].append(row.partition)
    return tuple(Holding(flow, topic, tuple(numbers)) for (flow, topic), numbers in held.items())
