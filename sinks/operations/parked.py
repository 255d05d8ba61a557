"""Parked keys as operators see them. Parking and releasing them is the worker's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from sinks.operations.connection import Connection


@dataclass(frozen=True)
class ParkedKey:
    """``reference`` is what the first of its ``records`` waits for, since when and until when.

    ``state`` is ``waiting``, or ``expired``: its records are dead letters, and are applied all the same when the reference comes.
    """

    flow: str
    key: str
    reference: str
    records: int
    since: datetime
    deadline: datetime
    state: str


_FIND: Final = """
    SELECT flow, row_key AS key, (array_agg(reference ORDER BY id))[1] AS reference, count(*) AS records,
           min(parked_at) AS since, min(deadline) AS deadline, state
    FROM sync.parked WHERE %(flow)s::text IS NULL OR flow = %(flow)s
    GROUP BY flow, row_key, state ORDER BY min(id) LIMIT %(limit)s
"""


def find(connection: Connection, flow: str | None, limit: int) -> list[ParkedKey]:
    """Read the parked keys of a flow, or of all that write to this database; the oldest first, at most ``limit``."""
    with connection.cursor(row_factory=class_row(ParkedKey)) as cursor:
        cursor.execute(_FIND, {"flow": flow, "limit": limit})
        return cursor.fetchall()
