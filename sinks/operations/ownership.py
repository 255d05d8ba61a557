"""Which partitions are read by whom: what the workers report, beside where the ledger stands. Metrics ask every second."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sinks.operations.connection import Connection


@dataclass(frozen=True)
class Reported:
    """A partition that a worker says it holds. ``silent_seconds`` since the worker's last report."""

    flow: str
    topic: str
    partition: int
    silent_seconds: float


@dataclass(frozen=True)
class Place:
    """Where the ledger stands, and the commit time in the source of what was applied last."""

    flow: str
    topic: str
    partition: int
    next_offset: int
    source_time: datetime | None


def reported(connection: Connection) -> list[Reported]:
    """Read what all workers hold; their reports are in the citizen database."""
    with connection.cursor(row_factory=class_row(Reported)) as cursor:
        cursor.execute(
            "SELECT p.flow, p.topic, p.partition, extract(epoch FROM clock_timestamp() - w.seen_at)::float AS silent_seconds"
            " FROM sync.worker AS w,"
            " jsonb_to_recordset(w.state -> 'partitions') AS p(flow text, topic text, partition integer)"
        )
        return cursor.fetchall()


def silences(connection: Connection) -> list[float]:
    """Seconds since each worker's last report."""
    rows = connection.execute("SELECT extract(epoch FROM clock_timestamp() - seen_at)::float FROM sync.worker")
    return [silence for (silence,) in rows.fetchall()]


def places(connection: Connection) -> list[Place]:
    """Read the ledger of the flows that write to this database."""
    with connection.cursor(row_factory=class_row(Place)) as cursor:
        cursor.execute("SELECT flow, topic, partition, next_offset, source_time FROM sync.ledger")
        return cursor.fetchall()
