"""Who did what, when, from where and why: written in the transaction of the deed, so that neither is without the other."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from psycopg.rows import class_row

from sinks.operations.connection import Connection


class RefusedError(Exception):
    """An operation that would do harm or makes no sense now; the message says why and what to do instead."""


class Result(StrEnum):
    """What became of what somebody wanted."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True)
class Deed:
    """A row of ``sync.audit``. ``problem``: why it was not done."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None
    role: str | None = None
    origin: str | None = None
    result: str = Result.DONE
    problem: str | None = None


@dataclass(frozen=True)
class Selection:
    """Which deeds: ``None`` matches all. Newest first, at most ``limit``."""

    actor: str | None = None
    action: str | None = None
    result: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    limit: int = 100


def identify(connection: Connection, role: str, origin: str) -> None:
    """Say in what role and from where this session acts: every line that it writes has both."""
    connection.execute("SELECT set_config('sync.role', %s, false), set_config('sync.origin', %s, false)", (role, origin))


def record(connection: Connection, actor: str, action: str, subject: str, reason: str | None = None) -> None:
    """Add one line; nobody but the administrator can change it afterwards."""
    connection.execute(
        "INSERT INTO sync.audit (actor, action, subject, reason) VALUES (%s, %s, %s, %s)",
        (actor, action, subject, reason),
    )


def record_undone(connection: Connection, actor: str, action: str, subject: str, *, reason: str | None, why: Exception) -> None:
    """Add the line of what was not done, after its transaction was rolled back. ``why`` must not hold values of rows."""
    result = Result.REFUSED if isinstance(why, RefusedError) else Result.FAILED
    connection.execute(
        "INSERT INTO sync.audit (actor, action, subject, reason, result, problem) VALUES (%s, %s, %s, %s, %s, %s)",
        (actor, action, subject, reason, result.value, str(why)),
    )


def deeds(connection: Connection, selection: Selection) -> list[Deed]:
    """Read the selected lines of one database."""
    with connection.cursor(row_factory=class_row(Deed)) as cursor:
        cursor.execute(
            "SELECT id, at, actor, role, origin, action, subject, reason, result, problem FROM sync.audit"
            " WHERE (%(actor)s::text IS NULL OR actor = %(actor)s) AND (%(action)s::text IS NULL OR action = %(action)s)"
            " AND (%(result)s::text IS NULL OR result = %(result)s) AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)"
            " AND (%(before)s::timestamptz IS NULL OR at < %(before)s) ORDER BY at DESC, id DESC LIMIT %(limit)s",
            vars(selection),
        )
        return cursor.fetchall()
