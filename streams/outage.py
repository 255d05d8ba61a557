"""Waiting out an outage: the lanes of one database share one circuit, so that one of them probes and the others wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg2
from aiokafka.errors import KafkaError

from sinks.pool import Pool, StatementTimeout, Unavailable
from sinks.source_rows import FenceTimeout
from sinks.sqlstate import Remedy, remedy_of

#: What an outage raises. Everything else is a defect and crashes the worker.
OUTAGES: Final = (Unavailable, StatementTimeout, psycopg2.Error, OSError, TimeoutError, KafkaError, FenceTimeout)
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0


def is_outage(error: BaseException) -> bool:
    """Whether waiting helps."""
    if isinstance(error, psycopg2.Error):
        return remedy_of(error) is Remedy.WAIT
    return isinstance(error, OUTAGES)


class Circuit:
    """Open while the database does not answer. ``sleep`` is a parameter so that tests need not wait."""

    def __init__(self, pool: Pool, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._pool = pool
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self.open = False

    async def until_answering(self) -> None:
        """Return when a trivial statement succeeds; without limit, with growing pauses and jitter."""
        async with self._turn:
            pause = FIRST_PAUSE
            while not await self._answers():
                self.open = True
                jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
                await self._sleep(pause * jitter)
                pause = min(pause * 2, LONGEST_PAUSE)
            self.open = False

    async def _answers(self) -> bool:
        try:
            async with self._pool.session() as session:
                await session.row("SELECT 1")
        except (Unavailable, StatementTimeout, psycopg2.Error, OSError, TimeoutError):
            return False
        return True
