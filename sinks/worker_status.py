"""What each worker says of itself, for operators and for the pages of the other workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sinks.json_text import json_text
from sinks.pool import Session


async def report(session: Session, name: str, started_at: datetime, web_url: str, state: dict[str, Any]) -> None:
    """Say that we are alive, and what we do."""
    await session.run(
        """
        INSERT INTO sync.worker (name, started_at, seen_at, web_url, state) VALUES (%s, %s, now(), %s, %s::jsonb)
        ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at, seen_at = excluded.seen_at,
            web_url = excluded.web_url, state = excluded.state
        """,
        (name, started_at, web_url, json_text(state)),
    )


async def forget_silent(session: Session, hours: int) -> None:
    """Remove workers that have said nothing for that long."""
    await session.run("DELETE FROM sync.worker WHERE seen_at < now() - %s * interval '1 hour'", (hours,))
