"""A job that backs up an event flow: reads the source behind a fence, and writes what is not in the target as it should be.

Rows go the way of events: their mapping, their version guard, with the fence as version. So a batch overwrites nothing newer, and
makes nothing newer look stale. Before the first page the run waits until events are known to be applied up to its snapshot. Then
what it still finds is what events have missed, and it is listed by key.

A run that takes all rows first hashes them in both databases, and reads only the pages of which the hashes differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from batch_timers.backup_pages import Alike, Page, Place, Reading, refuse_unless_running
from batch_timers.event_path import EventPath, Hashed, Likeness
from batch_timers.events_through import events_are_through
from batch_timers.interface import Around, Chunk
from batch_timers.pages import Mark
from batch_timers.reading_ahead import one_ahead
from flows.schedule import Schedule
from sinks import source_identity, watermarks
from sinks.pool import Pool, Session
from sinks.source_rows import Chosen, Fence, FencedRead, KeyRange, fenced_read

#: Small, because rows are mapped in the worker's event loop, which must not stand still for events.
PAGE_ROWS: Final = 1000
#: So many pages are cut, and hashed, by one statement.
SPAN_PAGES: Final = 64
#: Clocks of a source's writers may differ, and a row's time is not its commit's.
OVERLAP: Final = timedelta(minutes=15)


class _Part(NamedTuple):
    """A range of a page's size. ``alike``: rows that are the same on both sides, ``None``: they may differ."""

    bounds: KeyRange
    alike: int | None


@dataclass(frozen=True)
class _Sides:
    """Where a run reads, and how it is known that it need not; ``None``: it has to."""

    read: FencedRead
    target: Pool
    likeness: Likeness | None

    async def parts(self, bounds: KeyRange, cuts: Sequence[str]) -> list[_Part]:
        """The parts between ``cuts``; neighbours that are alike become one."""
        edges = [KeyRange(*pair) for pair in pairwise([bounds.low, *cuts, bounds.high])]
        if self.likeness is None:
            return [_Part(part, None) for part in edges]
        async with self.target.session() as session:
            source, target = await asyncio.gather(
                self.likeness.of_source(self.read.session, bounds, cuts), self.likeness.of_target(session, bounds, cuts)
            )
        return list(_joined(edges, source, target))


class Backup:
    """A job of an event flow. ``workers`` is the database where workers report; ``events_wait`` in seconds."""

    def __init__(self, schedule: Schedule, path: EventPath, workers: Pool, events_wait: float) -> None:
        self.schedule = schedule
        self.flow = path.flow
        self._path = path
        self._workers = workers
        self._events_wait = events_wait

    async def expected(self, around: Around) -> int | None:
        """As the source's statistics have it, of a full run."""
        return None if self.schedule.changed is not None else await self._rows_of_all(around)

    async def _rows_of_all(self, around: Around) -> int | None:
        async with around.source.session() as session:
            name = self.flow.source.table.qualified
            row = await session.row("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", (name,))
        return max(row[0], 0) if row else None

    def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """Pages in the order of the primary key, all of one snapshot; a run that is resumed has another one."""
        return one_ahead(self._chunks(around))

    async def _chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        epoch = await self._epoch(around)
        async with fenced_read(around.source, self.flow, wait=around.fence_wait) as read:
            place = Place.at(around.cursor) if around.cursor is not None else await self._start(around, read.session)
            if not place.done:
                through = await events_are_through(read, self.flow, self._workers, self._events_wait)
                whole = place.since is None
                statement = self._path.comparison(extras=whole)
                reading = Reading(self._path, Fence(epoch, read.lsn), statement, place, through, whole)
                likeness = await self._path.likeness(around.source, around.target) if whole else None
                async for chunk in self._pages(reading, _Sides(read, around.target, likeness), self._high(around)):
                    yield chunk
        yield Mark(self.schedule.job, place.mark, replace(place, done=True).cursor)

    async def _pages(self, reading: Reading, sides: _Sides, high: str | None) -> AsyncIterator[Chunk]:
        """Span by span; what the target has behind the last row belongs to the last page."""
        low, last = reading.place.low, False
        while not last:
            cuts = await sides.read.edges(self._chosen(reading, KeyRange(low, high)), PAGE_ROWS, SPAN_PAGES)
            last = len(cuts) < SPAN_PAGES
            end = high if last else cuts.pop()
            parts = await sides.parts(KeyRange(low, end), cuts)
            for number, part in enumerate(parts, 1):
                yield await self._chunk(reading, sides.read, part, last=last and number == len(parts))
            low = end

    async def _chunk(self, reading: Reading, read: FencedRead, part: _Part, *, last: bool) -> Page | Alike:
        if part.alike is not None:
            return Alike(reading, part.alike, part.bounds, last)
        keys, rows = await read.chosen(self._chosen(reading, part.bounds))
        return reading.page(keys, rows, part.bounds, last=last)

    def _chosen(self, reading: Reading, bounds: KeyRange) -> Chosen:
        return Chosen(bounds, self.schedule.changed, reading.place.since)

    def _high(self, around: Around) -> str | None:  # noqa: ARG002 of runs that take a part
        """Where the rows to take end."""
        return None

    async def _start(self, around: Around, source: Session) -> Place:
        """The window, or the last good run, whichever is older, so that a failed day is not lost. Without one: everything."""
        row = await source.row("SELECT now()")
        assert row is not None, "a SELECT without FROM answers one row"
        now: datetime = row[0]
        if self.schedule.changed is None:
            return Place(None, now)
        async with around.target.session() as session:
            taken = await watermarks.taken(session, self.schedule.job)
        return Place(taken and min(taken, now - self.schedule.window) - OVERLAP, now)

    async def _epoch(self, around: Around) -> int:
        """Raises ``SourceReplaced``."""
        async with around.source.session() as session:
            identity = await source_identity.identify(session)
        async with around.target.session() as session:
            await refuse_unless_running(session, self._path)
            return await source_identity.epoch_of(session, self.flow.source.table.database.value, identity)


def _joined(edges: Sequence[KeyRange], source: Mapping[int, Hashed], target: Mapping[int, Hashed]) -> Iterator[_Part]:
    """Parts by what both sides hash to; those that are alike and follow one another as one."""
    waiting: _Part | None = None
    for number, bounds in enumerate(edges):
        ours = source.get(number, Hashed())
        if ours == target.get(number, Hashed()):
            low, rows = (waiting.bounds.low, waiting.alike or 0) if waiting else (bounds.low, 0)
            waiting = _Part(KeyRange(low, bounds.high), rows + ours.rows)
            continue
        if waiting:
            yield waiting
            waiting = None
        yield _Part(bounds, None)
    if waiting:
        yield waiting
