"""What the job ledger says of every job, for metrics: few rows whatever the length of the history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from psycopg.rows import class_row

from sinks.job_ledger import OPEN, State
from sinks.operations.connection import Connection
from sinks.operations.jobs import RUN_COLUMNS, JobRun, controls
from sinks.operations.maintenance import Maintenance, maintenance

#: How runs end that have done work; others have left it to another run.
WORKED: Final = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class JobFigures:
    """``now`` by the database's clock. ``open`` and ``newest`` runs, the latter ended after work, one of each job.

    ``week``: (job, state) → runs that ended in the last seven days. ``paused``: jobs, or ``*`` for all. ``since``: when a job
    was first seen here.
    """

    now: datetime
    open: list[JobRun]
    newest: list[JobRun]
    succeeded: dict[str, datetime]
    week: dict[tuple[str, str], int]
    paused: frozenset[str]
    since: dict[str, datetime]
    maintenance: list[Maintenance]


_OPEN: Final[LiteralString] = f"SELECT {RUN_COLUMNS} FROM sync.job_run WHERE state = ANY (%(states)s) ORDER BY due_at"
_NEWEST: Final[LiteralString] = (
    f"SELECT {RUN_COLUMNS} FROM sync.job_run WHERE state = ANY (%(states)s) AND (job, ended_at) IN"
    " (SELECT job, max(ended_at) FROM sync.job_run WHERE state = ANY (%(states)s) GROUP BY job)"
)


def job_figures(connection: Connection) -> JobFigures:
    """Read all of it."""
    now: datetime = connection.execute("SELECT clock_timestamp()").fetchone()[0]  # type: ignore[index] # one row
    week = connection.execute(
        "SELECT job, state, count(*) FROM sync.job_run WHERE ended_at > now() - interval '7 days' GROUP BY job, state"
    )
    succeeded = connection.execute("SELECT job, max(ended_at) FROM sync.job_run WHERE state = 'succeeded' GROUP BY job")
    since = connection.execute("SELECT job, since FROM sync.job_control")
    return JobFigures(
        now=now,
        open=_runs(connection, _OPEN, list(OPEN)),
        newest=_runs(connection, _NEWEST, list(WORKED)),
        succeeded=dict(succeeded.fetchall()),
        week={(job, state): count for job, state, count in week.fetchall()},
        paused=frozenset(job for job, control in controls(connection).items() if control.paused),
        since=dict(since.fetchall()),
        maintenance=maintenance(connection),
    )


def _runs(connection: Connection, statement: LiteralString, states: list[State]) -> list[JobRun]:
    with connection.cursor(row_factory=class_row(JobRun)) as cursor:
        cursor.execute(statement, {"states": states})
        return cursor.fetchall()
