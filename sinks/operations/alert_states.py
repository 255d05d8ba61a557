"""What the notifier remembers between its rounds and across workers, in the citizen database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from sinks.operations.connection import Connection


@dataclass(frozen=True)
class AlertState:
    """An alert that is so ``since`` then, for one set of labels; ``tellings``: how often people were told, last ``told_at``."""

    alert: str
    labels: tuple[tuple[str, str], ...]
    since: datetime
    told_at: datetime | None = None
    tellings: int = 0


@dataclass(frozen=True)
class PartitionLag:
    """As the worker that holds the partition reported it within the last ten seconds."""

    flow: str
    topic: str
    partition: int
    lag_seconds: float


def lead(connection: Connection, owner: str, lease: timedelta) -> datetime | None:
    """Become or stay the one who notifies: the database's time; ``None``: somebody else does."""
    row = connection.execute(
        "INSERT INTO sync.notifier AS n (owner, lease_until) VALUES (%(owner)s, clock_timestamp() + %(lease)s)"
        " ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until"
        " WHERE n.owner = excluded.owner OR n.lease_until < clock_timestamp()"
        " RETURNING clock_timestamp()",
        {"owner": owner, "lease": lease},
    ).fetchone()
    return row[0] if row else None


def remembered(connection: Connection) -> list[AlertState]:
    """All that are so, or whose end was not told."""
    rows = connection.execute("SELECT alert, labels, since, told_at, tellings FROM sync.alert").fetchall()
    return [AlertState(alert, tuple(sorted(labels.items())), *rest) for alert, labels, *rest in rows]


def remember(connection: Connection, state: AlertState) -> None:
    """Keep the newest of it."""
    connection.execute(
        "INSERT INTO sync.alert (alert, labels, since, told_at, tellings) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (alert, labels) DO UPDATE SET since = excluded.since, told_at = excluded.told_at,"
        " tellings = excluded.tellings",
        (state.alert, Jsonb(dict(state.labels)), state.since, state.told_at, state.tellings),
    )


def forget(connection: Connection, state: AlertState) -> None:
    """It is over, and whoever knew of it has been told."""
    connection.execute("DELETE FROM sync.alert WHERE alert = %s AND labels = %s", (state.alert, Jsonb(dict(state.labels))))


def lags(connection: Connection) -> list[PartitionLag]:
    """Of all partitions that some worker holds."""
    rows = connection.execute(
        "SELECT p.flow, p.topic, p.partition, p.lag_seconds FROM sync.worker AS w,"
        " jsonb_to_recordset(w.state -> 'partitions')"
        " AS p(flow text, topic text, partition integer, lag_seconds float)"
        " WHERE w.seen_at > clock_timestamp() - interval '10 seconds' AND p.lag_seconds IS NOT NULL"
    ).fetchall()
    return [PartitionLag(*row) for row in rows]
