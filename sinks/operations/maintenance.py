"""Maintenance on demand: batch jobs do not start, and those under way pause at their next chunk. Event flows go on."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from settings import PROGRAM
from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection


@dataclass(frozen=True)
class Maintenance:
    """A row of ``sync.maintenance``."""

    starts_at: datetime
    ends_at: datetime
    reason: str
    asked_by: str


def maintenance(connection: Connection) -> list[Maintenance]:
    """Read what is going on or still to come, in order."""
    with connection.cursor(row_factory=class_row(Maintenance)) as cursor:
        cursor.execute(
            "SELECT starts_at, ends_at, reason, asked_by FROM sync.maintenance"
            " WHERE ends_at > clock_timestamp() ORDER BY starts_at"
        )
        return cursor.fetchall()


def start(connection: Connection, until: datetime, reason: str, actor: str) -> None:
    """Begin now; raises :class:`RefusedError` when one is going on, or when the end has passed."""
    with connection.transaction():
        connection.execute("LOCK TABLE sync.maintenance IN SHARE ROW EXCLUSIVE MODE")
        if standing := maintenance(connection):
            raise RefusedError(
                f"maintenance goes on until {standing[0].ends_at:%Y-%m-%d %H:%M} UTC ({standing[0].reason});"
                f" `{PROGRAM} maintenance stop` ends it"
            )
        begun = connection.execute(
            "INSERT INTO sync.maintenance (starts_at, ends_at, reason, asked_by)"
            " SELECT clock_timestamp(), %s, %s, %s WHERE clock_timestamp() < %s RETURNING id",
            (until, reason, actor, until),
        ).fetchone()
        if begun is None:
            raise RefusedError(f"the end of maintenance, {until:%Y-%m-%d %H:%M} UTC, has passed")
        record(connection, actor, "start maintenance", f"until {until:%Y-%m-%d %H:%M} UTC", reason)


def stop(connection: Connection, actor: str, reason: str | None = None) -> bool:
    """End what is going on; false when nothing is."""
    with connection.transaction():
        ended = connection.execute(
            "UPDATE sync.maintenance SET ends_at = greatest(starts_at, clock_timestamp())"
            " WHERE ends_at > clock_timestamp() RETURNING id"
        ).fetchall()
        if ended:
            record(connection, actor, "stop maintenance", "batch jobs", reason)
    return bool(ended)
