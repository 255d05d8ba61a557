"""One look at the database for all partitions of a flow that a worker has, where each lane would ask for its own.

Twelve flows with ten lanes each would ask two hundred times a second whether there is something to do, and mostly there is not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from sinks.pool import Pool, Session

#: What was seen is believed for so long (seconds): lanes that ask within one turn share an answer.
FRESH_SECONDS: Final = 0.5

#: Those of the partitions that have something to do.
Look = Callable[[Session, Collection[int]], Awaitable[Collection[int]]]


class SharedLook:
    """Remembers for ``fresh`` seconds what a look found; ``clock`` monotonic."""

    def __init__(
        self, target: Pool, look: Look, fresh: float = FRESH_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._target = target
        self._look = look
        self._fresh = fresh
        self._clock = clock
        self._turn = asyncio.Lock()
        self._asked: set[int] = set()
        self._found: Collection[int] = ()
        self._looked = float("-inf")

    async def finds(self, partition: int) -> bool:
        """Whether there is something to do for the partition, or was a moment ago."""
        async with self._turn:
            if partition not in self._asked or self._clock() - self._looked >= self._fresh:
                await self._ask(partition)
            return partition in self._found

    async def _ask(self, partition: int) -> None:
        self._asked.add(partition)
        async with self._target.session() as session:
            self._found = await self._look(session, frozenset(self._asked))
        self._looked = self._clock()

    def begin_anew(self) -> None:
        """Other partitions may be ours now."""
        self._asked.clear()
