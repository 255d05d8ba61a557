"""The open runs of a target database, and what is decided about those that nobody works on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from sinks.job_ledger import OPEN, State
from sinks.json_text import json_text
from sinks.pool import Session


@dataclass(frozen=True)
class Run:
    """An open run. ``expired``: it is running, but its owner has not renewed the lease. ``begun``: chunks of it are committed."""

    run_id: int
    job: str
    scheduled_for: datetime
    lane: str
    state: State
    due_at: datetime
    reason: str | None
    requested_by: str | None
    forced: bool
    cancelled: bool
    token: int
    attempts: int
    retry_at: datetime | None
    created_at: datetime
    expired: bool
    begun: bool


@dataclass(frozen=True)
class Maintenance:
    """A span of maintenance on demand."""

    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True)
class Board:
    """``now`` by the database's clock, which all workers share. ``paused``: jobs, or ``*`` for all."""

    now: datetime
    runs: tuple[Run, ...]
    paused: frozenset[str]
    maintenance: tuple[Maintenance, ...]


@dataclass(frozen=True)
class Line:
    """A new row of the ledger."""

    job: str
    scheduled_for: datetime
    lane: str
    state: State
    due_at: datetime
    reason: str


_BOARD: Final = f"""
    SELECT clock_timestamp(),
           (SELECT coalesce(json_agg(c.job), '[]')::text FROM sync.job_control AS c WHERE c.paused),
           (SELECT coalesce(json_agg(json_build_object('starts_at', m.starts_at, 'ends_at', m.ends_at, 'reason', m.reason)
                                     ORDER BY m.starts_at), '[]')::text
            FROM sync.maintenance AS m WHERE m.ends_at > clock_timestamp()),
           (SELECT coalesce(json_agg(to_json(o) ORDER BY o.due_at, o.scheduled_for, o.run_id), '[]')::text FROM (
                SELECT run_id, job, scheduled_for, lane, state, due_at, reason, requested_by, forced, cancelled, token, attempts,
                       retry_at, created_at, state = 'running' AND lease_until < clock_timestamp() AS expired, chunks > 0 AS begun
                FROM sync.job_run WHERE state IN ({", ".join(f"'{state}'" for state in OPEN)})) AS o)
    """
_decode_runs: Final = msgspec.json.Decoder(tuple[Run, ...]).decode
_decode_paused: Final = msgspec.json.Decoder(frozenset[str]).decode
_decode_maintenance: Final = msgspec.json.Decoder(tuple[Maintenance, ...]).decode


async def read(session: Session) -> Board:
    """Read the board, in one statement."""
    row = await session.row(_BOARD)
    assert row is not None, "a SELECT without FROM answers one row"
    return Board(row[0], _decode_runs(row[3]), _decode_paused(row[1]), _decode_maintenance(row[2]))


async def known(session: Session, jobs: Iterable[str]) -> dict[str, datetime]:
    """The newest slot of the calendar that the ledger has of each job; of a job that is new here the present, which is noted."""
    rows = await session.rows(
        """
        WITH new AS (INSERT INTO sync.job_control (job) SELECT value FROM json_array_elements_text(%(jobs)s::json)
                     ON CONFLICT DO NOTHING RETURNING job, since),
        all_jobs AS (SELECT job, since FROM new UNION SELECT job, since FROM sync.job_control
                     WHERE job IN (SELECT value FROM json_array_elements_text(%(jobs)s::json)))
        SELECT j.job, greatest(j.since, max(r.scheduled_for)) FROM all_jobs AS j
        LEFT JOIN sync.job_run AS r ON r.job = j.job AND r.requested_by IS NULL
        GROUP BY j.job, j.since
        """,
        {"jobs": json_text(list(jobs))},
    )
    return dict(rows)


async def propose(session: Session, lines: Sequence[Line]) -> int:
    """Write the lines whose slots the ledger does not have yet, all or none; returns how many."""
    if not lines:
        return 0
    row = await session.row(
        """
        WITH written AS (
            INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, reason, ended_at)
            SELECT job, scheduled_for, lane, state, due_at, reason,
                   CASE WHEN state IN ('coalesced', 'superseded') THEN clock_timestamp() END
            FROM json_to_recordset(%(lines)s::json)
                AS x(job text, scheduled_for timestamptz, lane text, state text, due_at timestamptz, reason text)
            ORDER BY job, scheduled_for ON CONFLICT (job, scheduled_for) DO NOTHING RETURNING 1)
        SELECT count(*) FROM written
        """,
        {"lines": json_text(lines)},
    )
    return row[0] if row else 0


async def defer(session: Session, run: Run, until: datetime, reason: str) -> None:
    """It may not start before ``until``."""
    await _settle(session, run, State.DEFERRED, reason, "due_at = %(until)s", {"until": until})


async def close(session: Session, run: Run, state: State, reason: str) -> None:
    """It will not run, or not go on: another does its work, it was cancelled, or it has failed for good."""
    await _settle(session, run, state, reason, "ended_at = clock_timestamp(), retry_at = NULL", {})


async def release(session: Session, run: Run, reason: str) -> None:
    """Take the lane from a dead owner without going on now."""
    await _settle(session, run, State.PAUSED, reason, "attempts = 0", {})


async def ask_for_lane(session: Session, run: Run) -> None:
    """Whoever has the lane of ``run`` hears at its next chunk that this job waits for it."""
    await session.run(
        "UPDATE sync.job_run SET yields_to = %s WHERE lane = %s AND state = 'running' AND yields_to IS NULL", (run.job, run.lane)
    )


async def _settle(session: Session, run: Run, state: State, reason: str, also: str, values: Mapping[str, Any]) -> None:
    """Nothing happens when somebody else has decided meanwhile: the token, the state or the lease are others then."""
    await session.run(
        f"""
        WITH free AS (SELECT run_id FROM sync.job_run WHERE run_id = %(run)s AND token = %(token)s AND state = %(before)s
                      AND (state <> 'running' OR lease_until < clock_timestamp()) FOR UPDATE SKIP LOCKED)
        UPDATE sync.job_run AS r SET state = %(state)s, reason = %(reason)s, owner = NULL, lease_until = NULL,
            token = r.token + 1, {also}
        FROM free WHERE r.run_id = free.run_id
        """,
        {
            "run": run.run_id,
            "token": run.token,
            "before": str(run.state),
            "state": str(state),
            "reason": reason,
            **values,
        },
    )
