"""What flows have put before a person: find and close. Putting it there is the worker's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from sinks.operations.audit import RefusedError, record
from sinks.operations.connection import Connection


@dataclass(frozen=True)
class Review:
    """A row of ``sync.review_queue``: keys only. ``resolved_at`` is empty while it is open."""

    id: int
    flow: str
    kind: str
    citizen_id: UUID
    gr_id: UUID
    reason: str
    created_at: datetime
    resolved_at: datetime | None


_FIND: Final = """
    SELECT id, flow, kind, citizen_id, gr_id, reason, created_at, resolved_at FROM sync.review_queue
    WHERE (%(flow)s::text IS NULL OR flow = %(flow)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
      AND (%(closed)s::boolean IS NULL OR (resolved_at IS NOT NULL) = %(closed)s)
      AND (%(ids)s::bigint[] = '{}' OR id = ANY(%(ids)s)) ORDER BY id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Selection:
    """Which reviews: ``None`` and an empty ``ids`` match all. Oldest first, at most ``limit``."""

    flow: str | None = None
    kind: str | None = None
    closed: bool | None = None
    ids: Sequence[int] = ()
    limit: int | None = None


def find(connection: Connection, selection: Selection) -> list[Review]:
    """Read the selected reviews."""
    with connection.cursor(row_factory=class_row(Review)) as cursor:
        cursor.execute(_FIND, vars(selection) | {"ids": list(selection.ids)})
        return cursor.fetchall()


def close(connection: Connection, review: Review, actor: str, reason: str) -> None:
    """Close an open one, and keep who and why in the audit; raises :class:`RefusedError` where another was faster."""
    with connection.transaction():
        row: tuple[Any, ...] | None = connection.execute(
            "UPDATE sync.review_queue SET resolved_at = now() WHERE id = %s AND resolved_at IS NULL RETURNING id", (review.id,)
        ).fetchone()
        if row is None:
            raise RefusedError(f"review {review.id} is closed already: nothing is left to do about it")
        record(connection, actor, "close review", f"{review.flow} {review.id}", reason)
