"""One reading of a source for all partitions of a worker that wait for it at the same time.

The first to come opens a gathering, and who comes before it ends takes a seat in the same pass. Then the source is read once,
page by page, and each seat is given what belongs to its partition. What that means for the partition is done by the holder of
the seat, in its own task: a holder that is cancelled writes nothing more, and the pass goes on without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

#: Lanes that are to be rebuilt for one reason come within a chunk's time of each other.
GATHERING_SECONDS: Final = 1.0

T = TypeVar("T")
#: A reading: page by page, what is in it for each partition.
Reading = AsyncGenerator[Mapping[int, T], None]


class Seat(Generic[T]):
    """The place of one partition in a pass: iterates over its part of each page; raises what ended the reading.

    At most one part waits here, so that the pass is never more than a page ahead of the slowest.
    """

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self._waiting: asyncio.Queue[T | BaseException | None] = asyncio.Queue(1)

    def __aiter__(self) -> Seat[T]:
        return self

    async def __anext__(self) -> T:
        part = await self._waiting.get()
        if part is None:
            raise StopAsyncIteration
        if isinstance(part, BaseException):
            raise part
        return part

    async def give(self, part: T | None) -> None:
        """Wait until there is room; ``None``: there is no more."""
        await self._waiting.put(part)

    def fail(self, error: BaseException) -> None:
        """What waits is worth nothing now."""
        self.clear()
        self._waiting.put_nowait(error)

    def clear(self) -> None:
        """Make room, also for a pass that waits for it."""
        if self._waiting.full():
            self._waiting.get_nowait()


@dataclass
class _Pass(Generic[T]):
    seats: list[Seat[T]] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class SourcePasses(Generic[T]):
    """Gathers partitions and reads for them, one pass at a time. ``read`` begins a reading; ``gathering`` in seconds."""

    def __init__(self, read: Callable[[], Reading[T]], *, gathering: float = GATHERING_SECONDS) -> None:
        self._read = read
        self._gathering_seconds = gathering
        self._gathering: _Pass[T] | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def seat(self, partition: int) -> AsyncIterator[Seat[T]]:
        """A seat in the next pass, for as long as the block lasts. The last to leave a pass ends it."""
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
                # Who comes from here on may have decided where to go on in the log after the reading began: not in this pass.
                self._close(gathered)
                await self._distribute(gathered)
        except BaseException as error:  # noqa: BLE001 - whatever it is, those who wait must learn it
            for seat in gathered.seats:
                seat.fail(error)

    async def _distribute(self, gathered: _Pass[T]) -> None:
        async with aclosing(self._read()) as reading:
            async for parts in reading:
                for seat in list(gathered.seats):
                    if seat.partition in parts:
                        await seat.give(parts[seat.partition])
        for seat in list(gathered.seats):
            await seat.give(None)
