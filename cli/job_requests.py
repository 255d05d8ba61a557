"""What operators want of batch jobs, wherever they say it: checked against the calendar, done in the ledgers of the jobs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import Job
from cli.databases import Databases
from flows.tables import Database
from settings import PROGRAM
from sinks.job_ledger import EVERY_JOB
from sinks.operations import jobs
from sinks.operations.audit import RefusedError
from sinks.operations.connection import Connection
from sinks.operations.jobs import JobRun
from sinks.operations.maintenance import maintenance
from views.formatting import both_zones


def ask_for_run(  # noqa: PLR0913 what a run is made of
    sessions: Databases,
    job: Job,
    *,
    actor: str,
    reason: str | None = None,
    slot: datetime | None = None,
    parameters: Mapping[str, Any] | None = None,
    force: bool = False,
) -> JobRun:
    """Ask for a run now, or for a slot again; raises :class:`RefusedError` in maintenance and peak hours without ``force``."""
    session = sessions[ledger_of(job)]
    if not force:
        _refuse_when_closed(job, session)
    return jobs.request(
        session,
        job.name,
        job.schedule.lane,
        slot=slot,
        parameters=parameters or {},
        forced=force,
        actor=actor,
        reason=reason,
    )


def set_paused(sessions: Databases, job: Job | None, *, paused: bool, actor: str, reason: str | None) -> str:
    """Pause a job or let it run again, all when none is named; returns the name in the ledger."""
    name = job.name if job else EVERY_JOB
    for database in [ledger_of(job)] if job else list(Database):
        jobs.set_paused(sessions[database], name, paused=paused, actor=actor, reason=reason)
    return name


def cancel_run(sessions: Databases, job: Job, *, slot: datetime | None, actor: str, reason: str | None) -> JobRun:
    """End the run of a slot, or the newest, and return how it stands."""
    session = sessions[ledger_of(job)]
    run = jobs.run_of(session, job.name, slot)
    jobs.cancel(session, run, actor, reason)
    return jobs.run_of(session, job.name, run.scheduled_for)


def ledger_of(job: Job) -> Database:
    """Return the database with the job's ledger; raises :class:`RefusedError` for a job that has none of its own."""
    if job.database is None:
        raise RefusedError(f"{job.name} is no job of one database; `{PROGRAM} jobs plan` shows when it is due")
    return job.database


def calendar_with(*sessions: Connection) -> Calendar:
    """Return the calendar with the maintenance that operators have asked for."""
    standing = {(each.starts_at, each.ends_at, each.reason) for session in sessions for each in maintenance(session)}
    return Calendar(tuple(Closure(*each) for each in sorted(standing)))


def _refuse_when_closed(job: Job, session: Connection) -> None:
    closure = calendar_with(session).closed_at(datetime.now(UTC), avoids_peak=job.schedule.avoids_peak)
    if closure is not None:
        raise RefusedError(
            f"{closure.reason}, until {both_zones(closure.end)}; {job.name} starts all the same when forced (--force)"
        )
