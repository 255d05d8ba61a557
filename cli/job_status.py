"""How the batch jobs stand, for `status`: what ran last, what comes next, and what is late."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from batch_timers.jobs import JOBS, Job
from batch_timers.slots import slot_from
from cli.job_view import progress_of, run_document
from flows.tables import Database
from sinks.job_ledger import EVERY_JOB, State
from sinks.operations import jobs
from sinks.operations.connection import Connection
from sinks.operations.jobs import JobRun
from views.formatting import both_zones

#: How long after its time, deferred or not, a run may begin.
PUNCTUAL: Final = timedelta(minutes=15)
_BEFORE_ITS_START: Final = (State.SCHEDULED, State.DEFERRED)


@dataclass(frozen=True)
class JobReport:
    """``last``: the slot of the newest run that has begun or is to begin. ``late``: it should have begun by now."""

    job: str
    next_slot: datetime
    last: datetime | None
    state: str | None
    reason: str | None
    rows_read: int
    rows_expected: int | None
    progress: str | None
    paused: bool
    late: bool


@dataclass(frozen=True)
class JobStanding:
    """What a database's ledger says of its jobs: the newest run of each, and the names that are paused."""

    newest: list[JobRun]
    paused: frozenset[str]


def job_standing(session: Connection) -> JobStanding:
    """Ask one ledger."""
    paused = frozenset(name for name, each in jobs.controls(session).items() if each.paused)
    return JobStanding(jobs.newest_of_each(session), paused)


def job_reports(standings: Mapping[Database, JobStanding]) -> list[JobReport]:
    """One for each job, in the order in which they are declared."""
    now = datetime.now(UTC)
    newest = {run.job: run for standing in standings.values() for run in standing.newest}
    paused = {(database, name) for database, standing in standings.items() for name in standing.paused}
    return [
        _report(job, newest.get(job.name), now, paused=any((job.database, name) in paused for name in (job.name, EVERY_JOB)))
        for job in JOBS
    ]


def _report(job: Job, run: JobRun | None, now: datetime, *, paused: bool) -> JobReport:
    next_slot = slot_from(job.schedule.cron, now)
    if run is None:
        return JobReport(job.name, next_slot, None, None, None, 0, None, None, paused, late=False)
    progress = progress_of(run_document(run)) if run.open and run.started_at else None
    late = run.state in _BEFORE_ITS_START and run.started_at is None and now > run.due_at + PUNCTUAL
    counts = (run.rows_read, run.rows_expected, progress)
    return JobReport(job.name, next_slot, run.scheduled_for, run.state, run.reason, *counts, paused, late)


def job_rows(reports: Iterable[JobReport]) -> Iterator[tuple[object, ...]]:
    """Name, last slot, state, progress, next slot."""
    for each in reports:
        state = ", ".join(filter(None, (each.state, "late" if each.late else None, "job paused" if each.paused else None)))
        yield (each.job, both_zones(each.last), state or None, each.progress, both_zones(each.next_slot))


def job_problems(reports: Iterable[JobReport]) -> list[str]:
    """What has failed or is late."""
    return [problem for each in reports if (problem := _problem(each))]


def _problem(report: JobReport) -> str | None:
    if report.state == State.FAILED:
        return f"job {report.job} failed: {report.reason}"
    return f"job {report.job} is late: {report.reason or 'no worker has begun it'}" if report.late else None
