"""The bounded queue between an agent, which must never stop reading, and a lane, which may have to wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final
from weakref import WeakSet

from streams.batches import Record
from streams.chunk import Chunk

#: How long a lane waits for the next fetch of records that the log is known to hold.
LINGER_SECONDS: Final = 2.0

Decode = Callable[[Sequence[Record]], list[Chunk]]


class Budget:
    """Bytes that may wait in all inboxes of a worker together. A full one sends the fullest lanes to work, whatever they hold."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: WeakSet[asyncio.Event] = WeakSet()

    @property
    def is_full(self) -> bool:
        """Whether those who have something waiting may take no more."""
        return self._bytes >= self._max_bytes

    def join(self, changed: asyncio.Event) -> None:
        """Set ``changed`` whenever the budget gets full or free."""
        self._waiting.add(changed)

    def add(self, size: int) -> None:
        """Account for ``size`` bytes more, or less."""
        before, self._bytes = self.is_full, self._bytes + size
        if self.is_full != before:
            for changed in self._waiting:
                changed.set()


class Inbox:
    """Decodes fetched batches and holds them as chunks, merged up to the limits.

    Closed, it discards what comes and counts it: the ledger brings the records back. Open, it is full once ``max_bytes``
    wait, or the worker's budget is used up, so that one lane holds at most that and a batch more.
    """

    def __init__(self, decode: Decode, max_records: int, max_bytes: int, budget: Budget) -> None:
        self._decode = decode
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._worth_bytes = max_bytes // 2  # The lane may have to wait for a slot, and the other half comes meanwhile.
        self._chunks: deque[Chunk] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()
        self._budget = budget
        budget.join(self._changed)
        self._open = False
        self.discarded = 0

    def open(self) -> None:
        """Accept batches from now on."""
        self._open = True

    def close(self) -> None:
        """Discard what waits and what comes."""
        self._open = False
        self.discarded += sum(len(chunk) for chunk in self._chunks)
        self._chunks.clear()
        self._hold(-self._bytes)
        self._changed.set()

    async def put(self, batch: Sequence[Record]) -> None:
        """Wait for room while the inbox is open, then decode."""
        while self._open and self._is_full:
            await self._change()
        if not self._open:
            self.discarded += len(batch)
            return
        for chunk in self._decode(batch):
            self._hold(chunk.size)
            if self._chunks and self._fits(self._chunks[-1], chunk):
                self._chunks[-1].extend(chunk)
            else:
                self._chunks.append(chunk)
        self._changed.set()

    def _grows(self) -> bool:
        """Whether the first chunk is the last and small, and there is room for more."""
        return len(self._chunks) == 1 and self._bytes < self._worth_bytes and not self._budget.is_full

    @property
    def _is_full(self) -> bool:
        return self._bytes >= self._max_bytes or (self._bytes > 0 and self._budget.is_full)

    def _hold(self, size: int) -> None:
        self._bytes += size
        self._budget.add(size)

    def _fits(self, chunk: Chunk, later: Chunk) -> bool:
        records, size = len(chunk) + len(later), chunk.size + later.size
        return later.follows(chunk) and records <= self._max_records and size <= self._max_bytes

    async def ready(self, timeout: float, backlog: Callable[[Chunk], int]) -> bool:
        """Wait until a chunk is worth taking; ``False`` after ``timeout`` seconds or :meth:`wake` without one.

        ``backlog`` tells how many records the log holds behind a chunk: while there are some, waiting a little for them
        makes one large transaction of many small ones.
        """
        if not self._chunks and not await self._changed_within(timeout):
            return False
        while self._grows() and backlog(self._chunks[0]) > 0:
            if not await self._changed_within(LINGER_SECONDS):
                break
        return bool(self._chunks)

    def take(self) -> Chunk | None:
        """The first chunk, or ``None`` when the inbox was closed meanwhile."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self._hold(-chunk.size)
        self._changed.set()
        return chunk

    def first(self) -> Chunk | None:
        """What :meth:`take` would give."""
        return self._chunks[0] if self._chunks else None

    def wake(self) -> None:
        """End a wait in :meth:`ready`."""
        self._changed.set()

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
