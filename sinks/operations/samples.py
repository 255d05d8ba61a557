"""The history of a flow, for charts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.rows import class_row

from sinks.operations.connection import Connection


@dataclass(frozen=True)
class Sample:
    """A span of ``sync.flow_sample`` that begins ``at``: the mean rate (records per second), the worst of the others.

    Lag in seconds, latencies in milliseconds; ``None`` where nothing was read.
    """

    at: datetime
    rate: float
    lag_seconds: float | None
    lag_records: int | None
    p50_ms: float | None
    p99_ms: float | None


def samples(connection: Connection, flow: str, since: datetime, step: timedelta) -> list[Sample]:
    """Read the spans of length ``step`` from ``since`` on, oldest first; spans without samples are missing."""
    with connection.cursor(row_factory=class_row(Sample)) as cursor:
        cursor.execute(
            "SELECT date_bin(%(step)s, at, 'epoch') AS at, avg(rate) AS rate, max(lag_seconds) AS lag_seconds,"
            " max(lag_records) AS lag_records, max(p50_ms) AS p50_ms, max(p99_ms) AS p99_ms"
            " FROM sync.flow_sample WHERE flow = %(flow)s AND at >= %(since)s GROUP BY 1 ORDER BY 1",
            {"flow": flow, "since": since, "step": step},
        )
        return cursor.fetchall()
