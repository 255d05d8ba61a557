"""What commands that start a job look at before: maintenance, and the portal's peak hours."""

from datetime import UTC, datetime

from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import Job
from sinks.operations.audit import RefusedError
from sinks.operations.connection import Connection
from sinks.operations.maintenance import maintenance
from views.formatting import both_zones


def standing_calendar(*sessions: Connection) -> Calendar:
    """With the maintenance that operators have asked for in these databases."""
    standing = {(each.starts_at, each.ends_at, each.reason) for session in sessions for each in maintenance(session)}
    return Calendar(tuple(Closure(*each) for each in sorted(standing)))


def refuse_when_closed(job: Job, session: Connection) -> None:
    """Raises ``RefusedError`` while the job may not start by itself; ``session`` is that of its ledger."""
    closure = standing_calendar(session).closed_at(datetime.now(UTC), avoids_peak=job.schedule.avoids_peak)
    if closure is not None:
        raise RefusedError(f"{closure.reason}, until {both_zones(closure.end)}; with --force {job.name} starts all the same")
