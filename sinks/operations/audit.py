"""Who did what, when and why: written in the transaction of the deed."""

from sinks.operations.connection import Connection


class RefusedError(Exception):
    """An operation that would do harm or makes no sense now; the message says why and what to do instead."""


def record(connection: Connection, actor: str, action: str, subject: str, reason: str | None = None) -> None:
    """Add one line; nobody but the administrator can change it afterwards."""
    connection.execute(
        "INSERT INTO sync.audit (actor, action, subject, reason) VALUES (%s, %s, %s, %s)",
        (actor, action, subject, reason),
    )
