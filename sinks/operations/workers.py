"""Worker processes as they describe themselves, every second, in the citizen database."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row

from sinks.operations.connection import Connection

STALE_SECONDS: Final = 10.0  # ten reports missed; Kafka gives the worker's partitions away after as long a silence


@dataclass(frozen=True)
class WorkerStatus:
    """A row of ``sync.worker``. ``silent_seconds`` since its last report, by the database's clock."""

    name: str
    started_at: datetime
    seen_at: datetime
    silent_seconds: float
    web_url: str | None
    state: dict[str, Any]

    @property
    def stale(self) -> bool:
        """Whether the process is gone, or cannot report."""
        return self.silent_seconds > STALE_SECONDS


def workers(connection: Connection) -> list[WorkerStatus]:
    """Read all workers, by name."""
    with connection.cursor(row_factory=class_row(WorkerStatus)) as cursor:
        cursor.execute(
            "SELECT name, started_at, seen_at, web_url, state,"
            " extract(epoch FROM clock_timestamp() - seen_at)::float AS silent_seconds FROM sync.worker ORDER BY name"
        )
        return cursor.fetchall()
