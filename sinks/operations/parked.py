"""Parked keys as operators see them. Parking and releasing them is the worker's."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from flows.model import Flow
from sinks.operations.connection import Connection

WAITING: Final = "waiting"


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


def counts(connection: Connection, flow: Flow) -> dict[str, int]:
    """Count the parked keys of a flow by state."""
    rows = connection.execute(
        "SELECT state, count(DISTINCT row_key) FROM sync.parked WHERE flow = %s GROUP BY state ORDER BY state", (flow.name,)
    )
    return dict(rows.fetchall())


def waiting(by_state: Mapping[str, int]) -> int:
    """How many of the counted keys wait within their deadline, or for the next look; expired ones are dead letters."""
    return by_state.get(WAITING, 0)
