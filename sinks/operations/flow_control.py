"""Pause, resume and re-synchronise a flow: kept in the flow's target database, where workers look every second."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from flows.model import Flow
from settings import PROGRAM
from sinks.flow_state import PAUSED, RUNNING, STOPPED
from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection

# A stop whose reason begins with this word leaves rows in the target that the source no longer has.
TRUNCATE: Final = "truncate"


@dataclass(frozen=True)
class FlowStatus:
    """A row of ``sync.flow_state``. ``lost``: what its source cannot deliver any more, of ``sync.upstream_loss``."""

    flow: str
    state: str
    reason: str | None
    changed_by: str | None
    changed_at: datetime | None
    resync: int
    lost: str | None = None


def flow_status(connection: Connection, flow: Flow) -> FlowStatus:
    """Read the state of a flow; one that never was touched runs."""
    with connection.cursor(row_factory=class_row(FlowStatus)) as cursor:
        cursor.execute(
            "SELECT f.flow, coalesce(s.state, %s) AS state, s.reason, s.changed_by, s.changed_at,"
            " coalesce(s.resync, 0) AS resync, (SELECT string_agg(u.detail, '; ' ORDER BY u.found_at)"
            " FROM sync.upstream_loss AS u WHERE u.flow = f.flow AND u.resolved_at IS NULL) AS lost"
            " FROM (SELECT %s::text AS flow) AS f LEFT JOIN sync.flow_state AS s USING (flow)",
            (RUNNING, flow.name),
        )
        found = cursor.fetchone()
    assert found is not None, "the flow's name alone makes a row"
    return found


def pause(connection: Connection, flow: Flow, actor: str, reason: str | None) -> FlowStatus:
    """Pause a flow on every worker; raises :class:`RefusedError` when the product has stopped it."""
    with connection.transaction():
        before = _locked(connection, flow)
        if before.state == STOPPED:
            again = f"`{PROGRAM} resume {flow.name}` starts it again"
            raise RefusedError(f"{flow.name} is stopped already ({before.reason}); {again}")
        _set(connection, flow, PAUSED, actor, reason)
        record(connection, actor, "pause", flow.name, reason)
    return flow_status(connection, flow)


def resume(
    connection: Connection, flow: Flow, actor: str, reason: str | None = None, *, accept_truncate: bool = False
) -> FlowStatus:
    """Let a paused or stopped flow run again; raises :class:`RefusedError` for a truncation that nobody accepted."""
    with connection.transaction():
        before = _locked(connection, flow)
        truncated = before.state == STOPPED and (before.reason or "").lower().startswith(TRUNCATE)
        if truncated and not accept_truncate:
            raise RefusedError(
                f"{flow.name} stopped because its source was truncated: `{PROGRAM} resume {flow.name}"
                " --accept-truncate` rebuilds the target from the source, which removes what the source no longer has"
            )
        if before.state != RUNNING:
            _set(connection, flow, RUNNING, actor, None)
            record(connection, actor, "resume", flow.name, reason or before.reason)
        if truncated:
            _raise_resync(connection, flow, actor, reason or "truncate accepted")
    return flow_status(connection, flow)


def resync(connection: Connection, flow: Flow, actor: str, reason: str | None = None) -> FlowStatus:
    """Have every partition of the flow rebuilt from the source, by its owner."""
    with connection.transaction():
        _locked(connection, flow)
        _raise_resync(connection, flow, actor, reason)
    return flow_status(connection, flow)


def _locked(connection: Connection, flow: Flow) -> FlowStatus:
    """Make the row if need be and lock it, so that two operators, or one and a worker, act one after the other."""
    connection.execute("INSERT INTO sync.flow_state (flow) VALUES (%s) ON CONFLICT DO NOTHING", (flow.name,))
    connection.execute("SELECT FROM sync.flow_state WHERE flow = %s FOR UPDATE", (flow.name,))
    return flow_status(connection, flow)


def _set(connection: Connection, flow: Flow, state: str, actor: str, reason: str | None) -> None:
    connection.execute(
        "UPDATE sync.flow_state SET state = %s, reason = %s, changed_by = %s, changed_at = now() WHERE flow = %s",
        (state, reason, actor, flow.name),
    )


def _raise_resync(connection: Connection, flow: Flow, actor: str, reason: str | None) -> None:
    connection.execute("UPDATE sync.flow_state SET resync = resync + 1 WHERE flow = %s", (flow.name,))
    record(connection, actor, "resync", flow.name, reason)
