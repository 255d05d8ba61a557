"""What a database knows of flows, slots and comparisons, in few statements that stay cheap: metrics ask every few seconds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from sinks.operations.connection import Connection
from sinks.operations.letters import UNSETTLED
from sinks.operations.parked import WAITING


@dataclass(frozen=True)
class Settled:
    """What became of all records of a flow, over its partitions. ``skipped``: offsets that the log had dropped unread."""

    flow: str
    applied: int
    superseded: int
    filtered: int
    parked: int
    dead_lettered: int
    tombstones: int
    skipped: int


@dataclass(frozen=True)
class SlotFigures:
    """A replication slot; the server's limit in bytes is ``None`` where there is none. Without a slot only the limit is known."""

    wal_status: str | None
    active: bool
    retained: int | None
    limit: int | None


@dataclass(frozen=True)
class Comparison:
    """A flow in a run of the reconciliation over all keys; counts are rows."""

    flow: str
    state: str
    ended_at: datetime
    compared: int
    missing: int
    extra: int
    different: int
    repaired: int


_SETTLED: Final = """
    SELECT flow, sum(applied)::bigint AS applied, sum(superseded)::bigint AS superseded, sum(filtered)::bigint AS filtered,
           sum(parked)::bigint AS parked, sum(dead_lettered)::bigint AS dead_lettered, sum(tombstones)::bigint AS tombstones,
           sum(skipped)::bigint AS skipped
    FROM sync.ledger GROUP BY flow
"""
_SLOT: Final = """
    SELECT s.wal_status, coalesce(s.active, false) AS active,
           CASE WHEN s.restart_lsn IS NOT NULL THEN greatest(pg_wal_lsn_diff(
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, s.restart_lsn
           ), 0)::bigint END AS retained,
           (SELECT setting::bigint * 1048576 FROM pg_settings WHERE name = 'max_slot_wal_keep_size' AND setting::bigint >= 0)
               AS "limit"
    FROM (SELECT) AS one LEFT JOIN pg_replication_slots AS s ON s.slot_name = %s
"""
# What a comparison has found may be long; it is opened of the newest only.
_COMPARISONS: Final = """
    SELECT r.flow, r.state, r.updated_at AS ended_at, (r.progress ->> 'expected')::bigint AS compared,
           (r.progress ->> 'missing')::bigint AS missing, (r.progress ->> 'extra')::bigint AS extra,
           (r.progress ->> 'different')::bigint AS different, (r.progress ->> 'repaired')::bigint AS repaired
    FROM sync.reconciliation AS r JOIN (
        SELECT flow, max(run) AS run FROM sync.reconciliation
        WHERE key_from IS NULL AND key_to IS NULL AND (state = 'done' OR NOT %(done)s) GROUP BY flow
    ) AS newest ON newest.run = r.run AND newest.flow = r.flow
"""


def settled(connection: Connection) -> list[Settled]:
    """Read the counts of every flow that writes to this database."""
    with connection.cursor(row_factory=class_row(Settled)) as cursor:
        cursor.execute(_SETTLED)
        return cursor.fetchall()


def flow_states(connection: Connection) -> dict[str, str]:
    """Read the states of the flows that have a row; others run."""
    return dict(connection.execute("SELECT flow, state FROM sync.flow_state").fetchall())


def open_letters(connection: Connection) -> dict[tuple[str, str], int]:
    """Count the unsettled dead letters by flow and reason."""
    rows = connection.execute(
        "SELECT flow, reason, count(*) FROM sync.dead_letter WHERE status IN (%s, %s) GROUP BY flow, reason", UNSETTLED
    )
    return {(flow, reason): count for flow, reason, count in rows.fetchall()}


def waiting_keys(connection: Connection) -> dict[str, int]:
    """Count the keys by flow whose events wait for a row."""
    rows = connection.execute("SELECT flow, count(DISTINCT row_key) FROM sync.parked WHERE state = %s GROUP BY flow", (WAITING,))
    return dict(rows.fetchall())


def open_losses(connection: Connection) -> set[tuple[str, str]]:
    """Read the flows that have lost changes of their source, and what was lost, see :class:`sinks.upstream_loss.Loss`."""
    rows = connection.execute("SELECT flow, kind FROM sync.upstream_loss WHERE resolved_at IS NULL").fetchall()
    return {(flow, kind) for flow, kind in rows}


def slot(source: Connection, name: str) -> SlotFigures:
    """Look at a slot; any role may."""
    with source.cursor(row_factory=class_row(SlotFigures)) as cursor:
        cursor.execute(_SLOT, (name,))
        found = cursor.fetchone()
    assert found is not None, "an outer join with one row answers one row"
    return found


def comparisons(connection: Connection, *, done: bool) -> list[Comparison]:
    """Read the newest comparison of each flow, or with ``done`` the newest that was decided."""
    with connection.cursor(row_factory=class_row(Comparison)) as cursor:
        cursor.execute(_COMPARISONS, {"done": done})
        return cursor.fetchall()
