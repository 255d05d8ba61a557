"""How a database does, as far as our role may see it."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sinks.operations.connection import Connection


@dataclass(frozen=True)
class Health:
    """``heartbeat_at``: when Debezium wrote its heartbeat last. ``connections`` of our role; ``now`` by the server's clock."""

    version: str
    now: datetime
    started_at: datetime
    standby: bool
    connections: int
    heartbeat_at: datetime | None


def health(connection: Connection) -> Health:
    """Ask the server."""
    with connection.cursor(row_factory=class_row(Health)) as cursor:
        cursor.execute(
            "SELECT current_setting('server_version') AS version, clock_timestamp() AS now,"
            " pg_postmaster_start_time() AS started_at, pg_is_in_recovery() AS standby,"
            " (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND datname = current_database())"
            " AS connections,"
            " (SELECT beat_at FROM sync.heartbeat) AS heartbeat_at"
        )
        found = cursor.fetchone()
    assert found is not None, "a SELECT without FROM answers one row"
    return found
