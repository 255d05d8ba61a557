"""The bounded queue between an agent, which must never stop reading, and a lane, which may have to wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from streams.batches import Record

#: How long a lane waits for records that the log is known to hold: a fetch of all partitions takes less.
LINGER_SECONDS: Final = 0.15


def _unknown(_: Record) -> int:
    return 0


class Inbox:
    """Holds fetched batches. Closed, it discards what comes and counts it: the ledger brings the records back.

    Open, it is full once ``max_bytes`` wait, so that one lane holds at most that and a batch more.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._batches: deque[tuple[list[Record], int]] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._open = False
        self.discarded = 0

    def open(self) -> None:
        """Accept batches from now on."""
        self._open = True

    def close(self) -> None:
        """Discard what waits and what comes."""
        self._open = False
        self.discarded += sum(len(batch) for batch, _ in self._batches)
        self._batches.clear()
        self._bytes = 0
        self._changed.set()

    async def put(self, batch: list[Record]) -> None:
        """Wait for room while the inbox is open."""
        while self._open and self._bytes >= self._max_bytes:
            await self._change()
        if self._open:
            size = sum(len(record.value or b"") for record in batch)
            self._batches.append((batch, size))
            self._bytes += size
            self._changed.set()
        else:
            self.discarded += len(batch)

    async def take(self, max_records: int, timeout: float, backlog: Callable[[Record], int] = _unknown) -> list[Record]:
        """All that waits of one topic, up to the limits, but at least one batch.

        ``backlog`` tells how many records the log holds behind a given one: while there are some, waiting a little for
        them makes one large transaction of many small ones. Empty after ``timeout`` seconds or :meth:`wake`.
        """
        if not self._batches and not await self._changed_within(timeout):
            return []
        deadline = asyncio.get_running_loop().time() + LINGER_SECONDS
        while self._batches and self._bytes < self._max_bytes and backlog(self._batches[-1][0][-1]) > 0:
            if not await self._changed_within(deadline - asyncio.get_running_loop().time()):
                break
        if not self._batches:
            return []
        first, size = self._next()
        records = list(first)
        while self._fits(records, size, max_records):
            more, more_size = self._next()
            records += more
            size += more_size
        self._changed.set()
        return records

    def _next(self) -> tuple[list[Record], int]:
        batch, size = self._batches.popleft()
        self._bytes -= size
        return batch, size

    def _fits(self, records: list[Record], size: int, max_records: int) -> bool:
        if not self._batches:
            return False
        upcoming, upcoming_size = self._batches[0]
        follows = upcoming[0].topic == records[0].topic and upcoming[0].offset == records[-1].offset + 1
        return follows and len(records) + len(upcoming) <= max_records and size + upcoming_size <= self._max_bytes

    def wake(self) -> None:
        """Make a waiting :meth:`take` return."""
        self._changed.set()

    def oldest_timestamp(self) -> int | None:
        """Kafka's timestamp (ms) of the first waiting record."""
        return self._batches[0][0][0].timestamp if self._batches else None

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _changed_within(self, seconds: float) -> bool:
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True
