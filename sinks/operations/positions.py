"""Positions of partitions: what the ledger says, and sending one back to read a range again."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from flows.model import Flow
from settings import PROGRAM
from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection


@dataclass(frozen=True)
class Position:
    """A row of ``sync.ledger``. The outcome counts add up to ``records_read``."""

    flow: str
    topic: str
    partition: int
    first_offset: int
    next_offset: int
    owner: str | None
    source_time: datetime | None
    applied_at: datetime | None
    records_read: int
    applied: int
    superseded: int
    filtered: int
    parked: int
    dead_lettered: int
    tombstones: int
    rewound: int
    skipped: int


@dataclass(frozen=True)
class LogRange:
    """What the broker holds of a partition: offsets ``start`` to ``end`` - 1."""

    start: int
    end: int


def positions(connection: Connection, flow: Flow) -> list[Position]:
    """Read all positions of a flow, by topic and partition."""
    with connection.cursor(row_factory=class_row(Position)) as cursor:
        cursor.execute(
            "SELECT flow, topic, partition, first_offset, next_offset, owner, source_time, applied_at, records_read,"
            " applied, superseded, filtered, parked, dead_lettered, tombstones, rewound, skipped"
            " FROM sync.ledger WHERE flow = %s ORDER BY topic, partition",
            (flow.name,),
        )
        return cursor.fetchall()


def rewind(  # noqa: PLR0913 each argument names a part of one position
    connection: Connection,
    flow: Flow,
    topic: str,
    partition: int,
    *,
    offset: int,
    log: LogRange,
    actor: str,
    reason: str | None = None,
) -> int:
    """Send a partition back to ``offset`` and return how many records will be read again.

    The owner notices within a second and seeks. Raises :class:`RefusedError` for an offset that the log does not hold
    any more or that was not read yet.
    """
    with connection.transaction():
        current = _locked(connection, flow, topic, partition)
        if not log.start <= offset <= current:
            raise RefusedError(
                f"{topic}[{partition}]: offset {offset} is not between {log.start}, where the log begins,"
                f" and {current}, which is read next"
            )
        # Time and hash of the record at next - 1 tell a re-created topic; they go with the position.
        connection.execute(
            "UPDATE sync.ledger SET next_offset = %(offset)s, rewound = rewound + (next_offset - %(offset)s),"
            " last_timestamp = NULL, last_key_hash = NULL"
            " WHERE flow = %(flow)s AND topic = %(topic)s AND partition = %(partition)s AND next_offset > %(offset)s",
            {"flow": flow.name, "topic": topic, "partition": partition, "offset": offset},
        )
        again = f"offsets {offset} to {current}"
        why = f"{again}: {reason}" if reason else again
        record(connection, actor, "replay", f"{flow.name} {topic}[{partition}]", why)
    return current - offset


def _locked(connection: Connection, flow: Flow, topic: str, partition: int) -> int:
    row = connection.execute(
        "SELECT next_offset FROM sync.ledger WHERE flow = %s AND topic = %s AND partition = %s FOR UPDATE",
        (flow.name, topic, partition),
    ).fetchone()
    if row is None:
        raise RefusedError(f"{flow.name} has read nothing of {topic}[{partition}] yet; `{PROGRAM} status` lists what it has")
    next_offset: int = row[0]
    return next_offset
