"""What `status` finds out. What cannot be asked is a problem of its own and does not hide the rest."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cli.broker import Partition, log_ranges
from cli.connect_rest import ConnectorStatus
from cli.connector_problems import connector_problems
from cli.connectors import connector_statuses
from cli.databases import Databases, databases
from cli.errors import EXPLAINED, message
from cli.job_status import JobReport, job_problems, job_reports, job_standing
from flows.model import Flow
from flows.registry import FLOWS
from flows.replication import replication_name
from flows.tables import Database
from settings import Settings
from sinks.flow_state import STOPPED
from sinks.operations import letters, parked
from sinks.operations.flow_control import FlowStatus, flow_status
from sinks.operations.positions import LogRange, Position, positions
from sinks.operations.slots import retentions
from sinks.operations.workers import WorkerStatus, workers
from views.source_problems import slot_problem


@dataclass(frozen=True)
class PartitionReport:
    """``lag`` in records; unknown when the broker does not answer."""

    position: Position
    end_offset: int | None
    lag: int | None


@dataclass(frozen=True)
class FlowReport:
    """One flow: its state, its dead letters by status, its parked keys by state, its partitions."""

    status: FlowStatus
    dead_letters: dict[str, int]
    parked: dict[str, int]
    partitions: list[PartitionReport]


@dataclass(frozen=True)
class StatusReport:
    """Everything, and what is wrong with it."""

    flows: list[FlowReport]
    workers: list[WorkerStatus]
    connectors: list[ConnectorStatus]
    jobs: list[JobReport]
    problems: list[str]


def status_report(settings: Settings) -> StatusReport:
    """Ask databases, broker and Connect."""
    report = StatusReport([], [], [], [], [])
    ends: dict[Partition, LogRange] = {}
    with databases(settings) as sessions:
        with _noted(report.problems):
            ends = _log_ends(settings)
        with _noted(report.problems):
            report.flows.extend(_flow_report(sessions, flow, ends) for flow in FLOWS)
            report.workers.extend(workers(sessions[Database.CITIZEN]))
            report.problems.extend(_flow_problems(report.flows) + _worker_problems(report.workers))
        with _noted(report.problems):
            report.jobs.extend(job_reports({database: job_standing(sessions[database]) for database in Database}))
            report.problems.extend(job_problems(report.jobs))
        with _noted(report.problems):
            report.problems.extend(slot_problems(sessions))
    with _noted(report.problems):
        report.connectors.extend(connector_statuses(settings))
        report.problems.extend(connector_problems(report.connectors))
    return report


@contextmanager
def _noted(problems: list[str]) -> Iterator[None]:
    """Go on after the block whatever could not be asked in it, and note it."""
    try:
        yield
    except EXPLAINED as error:
        problems.append(message(error))


def _log_ends(settings: Settings) -> dict[Partition, LogRange]:
    partitions = [(topic, number) for flow in FLOWS for topic in flow.topics for number in range(flow.partitions)]
    return asyncio.run(log_ranges(settings.kafka, partitions))


def _flow_report(sessions: Databases, flow: Flow, ends: dict[Partition, LogRange]) -> FlowReport:
    session = sessions[flow.target.table.database]
    partitions = [_partition_report(each, ends) for each in positions(session, flow)]
    return FlowReport(flow_status(session, flow), letters.counts(session, flow), parked.counts(session, flow), partitions)


def _partition_report(position: Position, ends: dict[Partition, LogRange]) -> PartitionReport:
    log = ends.get((position.topic, position.partition))
    if log is None:
        return PartitionReport(position, None, None)
    return PartitionReport(position, log.end, max(log.end - position.next_offset, 0))


def _flow_problems(flows: list[FlowReport]) -> list[str]:
    stopped = [flow.status for flow in flows if flow.status.state == STOPPED]
    lost = [f"flow {flow.status.flow} has lost changes: {flow.status.lost}" for flow in flows if flow.status.lost]
    return [f"flow {each.flow} is stopped: {each.reason}" for each in stopped] + lost


def slot_problems(sessions: Databases) -> list[str]:
    """Replication slots in danger, in the words of the pages."""
    kept = [(each, slot) for each in Database for slot in retentions(sessions[each], replication_name(each))]
    return [problem.text for each in kept if (problem := slot_problem(*each))]


def _worker_problems(found: list[WorkerStatus]) -> list[str]:
    return [] if any(not each.stale for each in found) else ["no worker runs"]
