"""The job ledger: who may write for a run, how far it is, and how it ended. One row per job and slot of the target database.

The fencing token is raised by who takes a run, and compared under the row's lock in the transaction of every chunk: a worker that
was frozen and wakes cannot write. The lease only decides when somebody else may take the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
import psycopg2.errors

from sinks.json_text import json_text
from sinks.pool import Session


class State(StrEnum):
    """Where a run stands. The first four are open."""

    SCHEDULED = "scheduled"
    DEFERRED = "deferred"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    COALESCED = "coalesced"
    SUPERSEDED = "superseded"


OPEN: Final = (State.SCHEDULED, State.DEFERRED, State.RUNNING, State.PAUSED)
EVERY_JOB: Final = "*"
#: Keys that are kept of a run's missed rows; the count goes on.
LISTED_MISSED: Final = 5000


class LostLease(Exception):
    """Somebody else has the run, or an operator has ended it; whoever holds an old token writes nothing more."""


@dataclass(frozen=True)
class Held:
    """A run that we have taken: our token, and where the work goes on. ``cursor`` and ``parameters`` are JSON values."""

    run_id: int
    job: str
    scheduled_for: datetime
    token: int
    attempts: int
    cursor: Any
    parameters: Any
    forced: bool
    created_at: datetime


@dataclass(frozen=True)
class Border:
    """What a run learns between two chunks.

    ``yields_to``: the job that wants the lane. ``maintenance``: since when there is one on demand, and until when.
    """

    now: datetime
    cancelled: bool
    paused: bool
    yields_to: str | None
    maintenance: tuple[datetime, datetime] | None


@dataclass(frozen=True)
class Counts:
    """What became of the rows of a chunk; ``read`` is their sum. ``missed``: keys, and what was done about them.

    ``unread``: how many of the unchanged are known to be so without having left their database.
    """

    written: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    missed: tuple[tuple[str, str], ...] = ()
    unread: int = 0

    @property
    def read(self) -> int:
        """All rows."""
        return self.written + self.unchanged + self.skipped + self.failed


_TAKING: Final = """
    WITH free AS (SELECT run_id FROM sync.job_run WHERE run_id = %(run)s AND token = %(token)s AND {condition}
                  FOR UPDATE SKIP LOCKED)
    UPDATE sync.job_run AS r SET state = 'running', token = r.token + 1, owner = %(owner)s, attempts = r.attempts + 1,
        lease_until = clock_timestamp() + %(lease)s * interval '1 second', retry_at = NULL, reason = NULL, yields_to = NULL,
        started_at = coalesce(r.started_at, clock_timestamp())
    FROM free WHERE r.run_id = free.run_id
    RETURNING r.run_id, r.job, r.scheduled_for, r.token, r.attempts, r.cursor::text, r.parameters::text, r.forced, r.created_at
    """
_TAKE: Final = _TAKING.format(condition="state IN ('scheduled', 'deferred', 'paused')")
_TAKE_OVER: Final = _TAKING.format(condition="state = 'running' AND lease_until < clock_timestamp()")


async def take(session: Session, run: int, token: int, owner: str, *, lease: float, dead: bool) -> Held | None:
    """Take a run that is waiting, or with ``dead`` one whose owner has not renewed its lease (seconds).

    ``None`` when somebody was faster, or another run has the lane.
    """
    parameters = {"run": run, "token": token, "owner": owner, "lease": lease}
    try:
        row = await session.row(_TAKE_OVER if dead else _TAKE, parameters)
    except psycopg2.errors.UniqueViolation:
        return None
    if row is None:
        return None
    run_id, job, scheduled_for, token, attempts, cursor, parameters, forced, created_at = row
    return Held(run_id, job, scheduled_for, token, attempts, _json(cursor), _json(parameters), forced, created_at)


async def lock(session: Session, held: Held) -> Border:
    """Begin the transaction of a chunk under the run's lock; raises :class:`LostLease` when the token is not ours."""
    row = await session.row(
        """
        BEGIN;
        SELECT r.token, r.state, clock_timestamp(), r.cancelled,
               EXISTS (SELECT FROM sync.job_control AS c WHERE c.job IN (r.job, %(every)s) AND c.paused),
               r.yields_to, m.starts_at, m.ends_at
        FROM sync.job_run AS r
        LEFT JOIN LATERAL (SELECT starts_at, ends_at FROM sync.maintenance
                           WHERE ends_at > clock_timestamp() AND starts_at <= clock_timestamp()
                           ORDER BY ends_at DESC LIMIT 1) AS m ON true
        WHERE r.run_id = %(run)s FOR UPDATE OF r
        """,
        {"run": held.run_id, "every": EVERY_JOB},
    )
    if row is None or (row[0], row[1]) != (held.token, State.RUNNING):
        found = "no row" if row is None else f"token {row[0]}, {row[1]}"
        raise LostLease(f"{held.job} of {held.scheduled_for:%Y-%m-%d %H:%M} UTC: the ledger has {found}, ours is {held.token}")
    return Border(row[2], row[3], row[4], row[5], (row[6], row[7]) if row[6] else None)


async def advance_and_commit(session: Session, held: Held, cursor: Any, counts: Counts, *, lease: float) -> None:
    """Note what the chunk came to and where the next begins, renew the lease, and commit."""
    await session.run(
        """
        INSERT INTO sync.job_missed (run_id, key, what)
        SELECT %(run)s, x.key, x.what FROM json_to_recordset(%(missed)s::json) AS x(key text, what text)
        WHERE (SELECT rows_missed FROM sync.job_run WHERE run_id = %(run)s) < %(listed)s
        ON CONFLICT DO NOTHING;
        UPDATE sync.job_run SET cursor = %(cursor)s::jsonb, chunks = chunks + 1, attempts = 0,
            rows_read = rows_read + %(read)s, rows_written = rows_written + %(written)s,
            rows_unchanged = rows_unchanged + %(unchanged)s, rows_skipped = rows_skipped + %(skipped)s,
            rows_failed = rows_failed + %(failed)s, rows_missed = rows_missed + %(missed_rows)s,
            lease_until = clock_timestamp() + %(lease)s * interval '1 second', progressed_at = clock_timestamp()
        WHERE run_id = %(run)s;
        COMMIT
        """,
        {
            "run": held.run_id,
            "missed": json_text([{"key": key, "what": what} for key, what in counts.missed]),
            "missed_rows": len(counts.missed),
            "listed": LISTED_MISSED,
            "cursor": json_text(cursor),
            "read": counts.read,
            "written": counts.written,
            "unchanged": counts.unchanged,
            "skipped": counts.skipped,
            "failed": counts.failed,
            "lease": lease,
        },
    )


async def expect(session: Session, held: Held, rows: int) -> None:
    """Note how many rows the whole run is about, as far as is known when it begins."""
    await session.run(
        "UPDATE sync.job_run SET rows_expected = %s WHERE run_id = %s AND token = %s", (rows, held.run_id, held.token)
    )


async def renew(session: Session, held: Held, *, lease: float) -> bool:
    """Renew the lease (seconds); false when the run is not ours any more. A chunk under way holds the row, and renews itself."""
    row = await session.row(
        """
        WITH ours AS (SELECT token = %(token)s AND state = 'running' AS still FROM sync.job_run WHERE run_id = %(run)s),
        free AS (SELECT run_id FROM sync.job_run
                 WHERE run_id = %(run)s AND token = %(token)s AND state = 'running' FOR UPDATE SKIP LOCKED),
        renewed AS (UPDATE sync.job_run AS r SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
                    FROM free WHERE r.run_id = free.run_id)
        SELECT still FROM ours
        """,
        {"run": held.run_id, "token": held.token, "lease": lease},
    )
    return row is not None and row[0]


async def end(session: Session, held: Held, state: State, reason: str | None) -> None:
    """The run has ended; what it came to is what its chunks have noted. Does nothing when the run is not ours any more."""
    await _leave(session, held, state, reason, "ended_at = clock_timestamp(), retry_at = NULL")


async def pause(session: Session, held: Held, reason: str) -> None:
    """Let the lane go; the run goes on at its cursor when it may."""
    await _leave(session, held, State.PAUSED, reason, "attempts = 0")


async def retry(session: Session, held: Held, reason: str, *, seconds: float, counted: bool) -> None:
    """Let the lane go and try again after ``seconds``; ``counted``: it was an attempt, not an outage."""
    also = "retry_at = clock_timestamp() + %(seconds)s * interval '1 second', attempts = greatest(attempts - %(forgiven)s, 0)"
    await _leave(session, held, State.SCHEDULED, reason, also, seconds=seconds, forgiven=0 if counted else 1)


async def _leave(session: Session, held: Held, state: State, reason: str | None, also: str, **values: float) -> None:
    await session.run(
        f"""
        UPDATE sync.job_run SET state = %(state)s, reason = %(reason)s, owner = NULL, lease_until = NULL, {also}
        WHERE run_id = %(run)s AND token = %(token)s AND state = 'running'
        """,
        {"run": held.run_id, "token": held.token, "state": str(state), "reason": reason, **values},
    )


def _json(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
