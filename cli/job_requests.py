"""What operators want of batch jobs, wherever they say it: checked against the calendar, done in the ledgers of the jobs."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import Job
from cli.databases import Databases
from flows.tables import Database
from sinks.job_ledger import EVERY_JOB
from sinks.operations import jobs
from sinks.operations.audit import RefusedError
from sinks.operations.connection import Connection
from sinks.operations.jobs import JobRun
from sinks.operations.maintenance import maintenance
from views.formatting import both_zones


def ask_for_runs(  # noqa: PLR0913 what a run is made of
    sessions: Databases,
    wanted: Sequence[Job],
    *,
    actor: str,
    reason: str | None = None,
    slot: datetime | None = None,
    parameters: Mapping[str, Any] | None = None,
    force: bool = False,
) -> list[JobRun]:
    """Ask for runs now, or for a slot again; raises :class:`RefusedError` in maintenance and peak hours without ``force``."""
    for job in () if force else wanted:
        _refuse_when_closed(job, sessions[job.database])
    if slot is None and len(wanted) > 1:
        # One slot for all of a group, so that they wait for one another and make one report.
        slot = datetime.now(UTC).replace(microsecond=0)
    order: dict[str, Any] = {"slot": slot, "parameters": parameters or {}, "forced": force, "actor": actor, "reason": reason}
    return [jobs.request(sessions[job.database], job.name, job.schedule.lane, **order) for job in wanted]


def set_paused(sessions: Databases, job: Job | None, *, paused: bool, actor: str, reason: str | None) -> str:
    """Pause a job or let it run again, all when none is named; returns the name in the ledger."""
    name = job.name if job else EVERY_JOB
    for database in [job.database] if job else list(Database):
        jobs.set_paused(sessions[database], name, paused=paused, actor=actor, reason=reason)
    return name


def cancel_run(sessions: Databases, job: Job, *, slot: datetime | None, actor: str, reason: str | None) -> JobRun:
    """End the run of a slot, or the newest, and return how it stands."""
    session = sessions[job.database]
    run = jobs.run_of(session, job.name, slot)
    jobs.cancel(session, run, actor, reason)
    return jobs.run_of(session, job.name, run.scheduled_for)


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
