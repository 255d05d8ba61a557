"""Waits until the events of a flow are known to be applied up to a snapshot: what is found then, they have missed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from flows.model import CapturedFlow
from sinks import event_progress
from sinks.pool import Pool, Session
from sinks.source_rows import FencedRead

_LOOK_SECONDS: Final = 1.0


async def events_are_through(read: FencedRead, flow: CapturedFlow, workers: Pool, wait: float) -> bool:
    """False when that does not come within ``wait`` seconds: nobody can say what they missed.

    ``workers``: the database where workers report.
    """
    row = await read.session.row("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
    assert row is not None, "a SELECT without FROM answers one row"
    loop = asyncio.get_running_loop()
    deadline, since = loop.time() + wait, None
    while True:
        since = since or await _published(read.session, flow, workers, row[0])
        if since is not None and await _applied(flow, workers, since):
            return True
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(_LOOK_SECONDS)


async def _published(source: Session, flow: CapturedFlow, workers: Pool, lsn: int) -> datetime | None:
    """The present, if everything up to the position is in Kafka now."""
    if not await event_progress.published(source, flow, lsn):
        return None
    async with workers.session() as session:
        return await event_progress.present(session)


async def _applied(flow: CapturedFlow, workers: Pool, since: datetime) -> bool:
    async with workers.session() as session:
        return await event_progress.applied(session, flow, since)
