"""One reading of a source table for all partitions of a worker that wait for it at the same time.

The first to come opens a gathering, and who comes before it ends takes a seat in the same pass. The table is then read once,
behind one fence, page by page, and each seat is given what belongs to its partition. What that means for the partition is done
by whoever holds the seat, in his own task: one who is cancelled writes nothing more, and the pass goes on without him.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from sinks.source_rows import FencedRead, SourceRow
from tables.entry import LOWEST, Version, version_of

#: Lanes that are to be rebuilt for the same reason come within a chunk's time of each other.
GATHERING_SECONDS: Final = 1.0

T = TypeVar("T")
#: From the rows of a page to what is in it for each partition.
Sort = Callable[[list[SourceRow]], Mapping[int, T]]


class Seat(Generic[T]):
    """The place of one partition in a pass: iterates over its part of each page, raises what the pass met.

    ``fence`` is the version of what was read, known when the iteration ends. At most one part waits here: the pass is never
    more than a page ahead of the slowest.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.fence: Version = LOWEST
        self._parts: asyncio.Queue[T | BaseException | None] = asyncio.Queue(1)

    def __aiter__(self) -> Seat[T]:
        return self

    async def __anext__(self) -> T:
        part = await self._parts.get()
        if part is None:
            raise StopAsyncIteration
        if isinstance(part, BaseException):
            raise part
        return part

    async def give(self, part: T | None) -> None:
        """Wait until there is room; ``None``: there is no more."""
        await self._parts.put(part)

    def fail(self, error: BaseException) -> None:
        """What waits is worth nothing now."""
        self.clear()
        self._parts.put_nowait(error)

    def clear(self) -> None:
        """Make room, also for a pass that waits for it."""
        while not self._parts.empty():
            self._parts.get_nowait()


@dataclass(eq=False)
class _Pass(Generic[T]):
    seats: list[Seat[T]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class SourcePasses(Generic[T]):
    """Gathers partitions and reads for them; one pass at a time.

    ``read`` opens a reading, ``epoch`` tells the source's present one, ``sorter`` makes the function that takes pages apart, for
    the fence's version.
    """

    def __init__(
        self,
        read: Callable[[], AbstractAsyncContextManager[FencedRead]],
        epoch: Callable[[], int],
        sorter: Callable[[Version], Sort[T]],
        *,
        gathering: float = GATHERING_SECONDS,
    ) -> None:
        self._read = read
        self._epoch = epoch
        self._sorter = sorter
        self._gathering_seconds = gathering
        self._gathering: _Pass[T] | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def seat(self, partition: int) -> AsyncIterator[Seat[T]]:
        """A seat in the next pass, for as long as the block lasts; the last to leave a pass ends it."""
        boarded, seat = self._next(), Seat[T](partition)
        boarded.seats.append(seat)
        try:
            yield seat
        finally:
            self._leave(boarded, seat)

    def _next(self) -> _Pass[T]:
        if self._gathering is None:
            self._gathering = _Pass()
            self._gathering.task = asyncio.create_task(self._conduct(self._gathering))
        return self._gathering

    def _leave(self, boarded: _Pass[T], seat: Seat[T]) -> None:
        boarded.seats.remove(seat)
        seat.clear()
        if not boarded.seats and boarded.task is not None:
            boarded.task.cancel()
            self._close(boarded)

    def _close(self, gathered: _Pass[T]) -> None:
        if self._gathering is gathered:
            self._gathering = None

    async def _conduct(self, gathered: _Pass[T]) -> None:
        try:
            await asyncio.sleep(self._gathering_seconds)
            async with self._turn:
                # Who comes from here on has perhaps read his position in the log after the fence was set: not in this pass.
                self._close(gathered)
                await self._carry(gathered)
        except BaseException as error:
            self._close(gathered)
            for seat in gathered.seats:
                seat.fail(error)
            if not isinstance(error, Exception):
                raise

    async def _carry(self, gathered: _Pass[T]) -> None:
        async with self._read() as read:
            fence = version_of(self._epoch(), read.lsn)
            sort = self._sorter(fence)
            for seat in gathered.seats:
                seat.fence = fence
            async for page in read.pages():
                parts = sort(page)
                for seat in list(gathered.seats):
                    if seat.partition in parts:
                        await seat.give(parts[seat.partition])
        for seat in list(gathered.seats):
            await seat.give(None)
