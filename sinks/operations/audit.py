"""Who did what, when and why: written in the transaction of the deed."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from sinks.operations.connection import Connection


class RefusedError(Exception):
    """An operation that would do harm or makes no sense now; the message says why and what to do instead."""


def record(connection: Connection, actor: str, action: str, subject: str, reason: str | None = None) -> None:
    """Add one line; nobody but the administrator can change it afterwards."""
    connection.execute(
        "INSERT INTO sync.audit (actor, action, subject, reason) VALUES (%s, %s, %s, %s)",
        (actor, action, subject, reason),
    )


@dataclass(frozen=True)
class Deed:
    """A line of ``sync.audit``."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None


def deeds(connection: Connection, before: datetime | None, limit: int) -> list[Deed]:
    """Read the newest lines, or those before a moment; newest first, at most ``limit``."""
    with connection.cursor(row_factory=class_row(Deed)) as cursor:
        cursor.execute(
            "SELECT id, at, actor, action, subject, reason FROM sync.audit"
            " WHERE %(before)s::timestamptz IS NULL OR at < %(before)s ORDER BY at DESC, id DESC LIMIT %(limit)s",
            {"before": before, "limit": limit},
        )
        return cursor.fetchall()
