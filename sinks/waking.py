"""The part of a writing statement that wakes those who wait for rows."""

from __future__ import annotations


def waking(channel: str | None) -> str:
    """One more column for a select beside a CTE ``written``: one `pg_notify` with the count of rows, if there are any."""
    if channel is None:
        return ""
    return f", (SELECT pg_notify('{channel}', n::text) FROM (SELECT count(*) AS n FROM written) AS w WHERE n > 0)"
