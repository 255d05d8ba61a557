"""Batch jobs as operators see them: what became of runs, and asking for, pausing and ending them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from settings import PROGRAM
from sinks.job_ledger import EVERY_JOB, OPEN
from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection


@dataclass(frozen=True)
class JobRun:
    """A line of the job ledger. Rows read have one outcome each; ``rows_missed`` are among those written."""

    run_id: int
    job: str
    scheduled_for: datetime
    lane: str
    state: str
    due_at: datetime
    reason: str | None
    requested_by: str | None
    forced: bool
    cancelled: bool
    parameters: dict[str, Any]
    owner: str | None
    attempts: int
    retry_at: datetime | None
    chunks: int
    rows_read: int
    rows_written: int
    rows_unchanged: int
    rows_skipped: int
    rows_failed: int
    rows_missed: int
    rows_expected: int | None
    created_at: datetime
    started_at: datetime | None
    progressed_at: datetime | None
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether it is still to end."""
        return self.state in OPEN

    @property
    def seconds(self) -> float | None:
        """How long it has worked, pauses and all, as far as its last chunk."""
        end = self.ended_at or self.progressed_at
        return (end - self.started_at).total_seconds() if self.started_at and end else None

    @property
    def rows_per_second(self) -> float | None:
        """Since it began."""
        return self.rows_read / self.seconds if self.seconds else None

    @property
    def seconds_left(self) -> float | None:
        """At this rate, where the number of rows is known."""
        if not self.open or self.rows_expected is None or not self.rows_per_second:
            return None
        return max(self.rows_expected - self.rows_read, 0) / self.rows_per_second


@dataclass(frozen=True)
class Missed:
    """A row that a run has put right although its events had been due. ``what``: `written` or `removed`."""

    key: str
    what: str


@dataclass(frozen=True)
class Control:
    """Whether a job is paused, by whom and why; job ``*`` stands for all."""

    job: str
    paused: bool
    reason: str | None
    changed_by: str | None
    changed_at: datetime


RUN_COLUMNS: Final[LiteralString] = (
    "run_id, job, scheduled_for, lane, state, due_at, reason, requested_by, forced, cancelled, parameters, owner, attempts,"
    " retry_at, chunks, rows_read, rows_written, rows_unchanged, rows_skipped, rows_failed, rows_missed, rows_expected,"
    " created_at, started_at, progressed_at, ended_at"
)


def history(connection: Connection, job: str | None, limit: int) -> list[JobRun]:
    """Read the newest runs of a job, or of all whose ledger is here."""
    with connection.cursor(row_factory=class_row(JobRun)) as cursor:
        cursor.execute(
            f"SELECT {RUN_COLUMNS} FROM sync.job_run WHERE %(job)s::text IS NULL OR job = %(job)s"
            " ORDER BY scheduled_for DESC, run_id DESC LIMIT %(limit)s",
            {"job": job, "limit": limit},
        )
        return cursor.fetchall()


def newest(connection: Connection, jobs: Sequence[str], each: int) -> list[JobRun]:
    """Read the newest runs of each of these jobs, newest first; as quick after years as after a day."""
    with connection.cursor(row_factory=class_row(JobRun)) as cursor:
        cursor.execute(
            f"SELECT r.* FROM unnest(%(jobs)s::text[]) AS wanted(job), LATERAL (SELECT {RUN_COLUMNS} FROM sync.job_run"
            " WHERE job = wanted.job ORDER BY scheduled_for DESC LIMIT %(each)s) AS r",
            {"jobs": list(jobs), "each": each},
        )
        return cursor.fetchall()


def newest_of_each(connection: Connection) -> list[JobRun]:
    """Read the newest run of each job whose ledger is here; slots whose work another did are no runs."""
    with connection.cursor(row_factory=class_row(JobRun)) as cursor:
        cursor.execute(
            f"SELECT DISTINCT ON (job) {RUN_COLUMNS} FROM sync.job_run WHERE state NOT IN ('coalesced', 'superseded')"
            " ORDER BY job, scheduled_for DESC"
        )
        return cursor.fetchall()


def run_of(connection: Connection, job: str, slot: datetime | None) -> JobRun:
    """Read the run of a slot, or the newest that has begun or ended; raises :class:`RefusedError` when there is none."""
    with connection.cursor(row_factory=class_row(JobRun)) as cursor:
        cursor.execute(
            f"SELECT {RUN_COLUMNS} FROM sync.job_run WHERE job = %(job)s"
            " AND (scheduled_for = %(slot)s OR (%(slot)s::timestamptz IS NULL AND state NOT IN ('coalesced', 'superseded')))"
            " ORDER BY scheduled_for DESC LIMIT 1",
            {"job": job, "slot": slot},
        )
        found = cursor.fetchone()
    if found is None:
        raise RefusedError(f"{job} has no such run; `{PROGRAM} jobs history {job}` lists what it has")
    return found


def missed(connection: Connection, run: JobRun) -> list[Missed]:
    """Read the rows that events had missed, as far as they are listed."""
    with connection.cursor(row_factory=class_row(Missed)) as cursor:
        cursor.execute("SELECT key, what FROM sync.job_missed WHERE run_id = %s ORDER BY key", (run.run_id,))
        return cursor.fetchall()


def controls(connection: Connection) -> dict[str, Control]:
    """Read what is paused."""
    with connection.cursor(row_factory=class_row(Control)) as cursor:
        cursor.execute("SELECT job, paused, reason, changed_by, changed_at FROM sync.job_control")
        return {each.job: each for each in cursor.fetchall()}


def set_paused(connection: Connection, job: str, *, paused: bool, actor: str, reason: str | None) -> None:
    """Pause or resume a job, or all; runs under way hear it at their next chunk."""
    with connection.transaction():
        connection.execute(
            "INSERT INTO sync.job_control AS c (job, paused, reason, changed_by) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (job) DO UPDATE SET paused = excluded.paused, reason = excluded.reason,"
            " changed_by = excluded.changed_by, changed_at = clock_timestamp()",
            (job, paused, reason, actor),
        )
        name = "all jobs" if job == EVERY_JOB else job
        record(connection, actor, "pause job" if paused else "resume job", name, reason)


def request(  # noqa: PLR0913 what a run is made of
    connection: Connection,
    job: str,
    lane: str,
    *,
    slot: datetime | None,
    parameters: Mapping[str, Any],
    forced: bool,
    actor: str,
    reason: str | None = None,
) -> JobRun:
    """Ask for a run now, or for a slot again; the workers look every few seconds. Refused while that run is open."""
    with connection.transaction():
        wanted = slot or _present(connection)
        connection.execute(
            # Whether the line is new or old, the next statement makes it that of a run that has not begun.
            "INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at) VALUES (%s, %s, %s, 'cancelled', now())"
            " ON CONFLICT (job, scheduled_for) DO NOTHING",
            (job, wanted, lane),
        )
        begun = connection.execute(
            "UPDATE sync.job_run SET state = 'scheduled', due_at = clock_timestamp(), created_at = clock_timestamp(),"
            " reason = NULL, requested_by = %s, forced = %s, parameters = %s, cancelled = false, attempts = 0, retry_at = NULL,"
            " cursor = NULL, chunks = 0, rows_read = 0, rows_written = 0, rows_unchanged = 0, rows_skipped = 0, rows_failed = 0,"
            " rows_missed = 0, rows_expected = NULL, started_at = NULL, progressed_at = NULL, ended_at = NULL"
            " WHERE job = %s AND scheduled_for = %s AND state <> ALL (%s) RETURNING run_id",
            (actor, forced, Jsonb(dict(parameters)), job, wanted, list(OPEN)),
        ).fetchone()
        if begun is None:
            raise RefusedError(f"the run of {job} for {wanted:%Y-%m-%d %H:%M:%S} UTC is under way or waits already")
        connection.execute("DELETE FROM sync.job_missed WHERE run_id = %s", begun)
        record(connection, actor, "run job", f"{job} {wanted:%Y-%m-%d %H:%M:%S} UTC", _why(reason, parameters, forced=forced))
    return run_of(connection, job, wanted)


def cancel(connection: Connection, run: JobRun, actor: str, reason: str | None = None) -> None:
    """End a run: at its next chunk, or at the workers' next look; raises :class:`RefusedError` when it has ended."""
    with connection.transaction():
        found = connection.execute(
            "UPDATE sync.job_run SET cancelled = true WHERE run_id = %s AND state = ANY (%s) RETURNING run_id",
            (run.run_id, list(OPEN)),
        ).fetchone()
        if found is None:
            raise RefusedError(f"the run of {run.job} for {run.scheduled_for:%Y-%m-%d %H:%M} UTC has ended: {run.state}")
        record(connection, actor, "cancel run", f"{run.job} {run.scheduled_for:%Y-%m-%d %H:%M} UTC", reason)


def _why(reason: str | None, parameters: Mapping[str, Any], *, forced: bool) -> str | None:
    """What was asked for and why, for the audit."""
    told = ["forced"] if forced else []
    asked = ", ".join([*told, *(f"{name}: {value}" for name, value in parameters.items())])
    return ": ".join(filter(None, (asked, reason))) or None


def _present(connection: Connection) -> datetime:
    row = connection.execute("SELECT date_trunc('second', clock_timestamp())").fetchone()
    assert row is not None, "a SELECT without FROM answers one row"
    moment: datetime = row[0]
    return moment
