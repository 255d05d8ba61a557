"""A job that backs up an event flow: reads the source behind a fence, and writes what is not in the target as it should be.

Rows are mapped by the source itself and copied from database to database; they come under the version guard of events, with the
fence as version. So a batch overwrites nothing newer, and makes nothing newer look stale. Before the first page the run waits
until events are known to be applied up to its snapshot. Then what it still finds is what events have missed; that is listed.

A run that takes all rows first hashes them in both databases, and reads only the pages of which the hashes differ.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from batch_timers.backup_pages import Alike, Page, Place, Reading, refuse_unless_running
from batch_timers.backup_parts import Part, Sides
from batch_timers.event_path import EventPath
from batch_timers.events_through import events_are_through
from batch_timers.interface import Around, Chunk
from batch_timers.pages import Mark
from batch_timers.reading_ahead import one_ahead
from flows.schedule import Schedule
from sinks import source_identity, watermarks
from sinks.copied_rows import copied
from sinks.pool import Pool, Session
from sinks.source_rows import Chosen, Fence, FencedRead, KeyRange, fenced_read

log = logging.getLogger(__name__)

#: So many bad rows of a part are named.
NAMED_BAD: Final = 100
#: Clocks of a source's writers may differ, and a row's time is not its commit's.
OVERLAP: Final = timedelta(minutes=15)


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
                reading = Reading(self._path, Fence(epoch, read.lsn), place, through, whole)
                likeness = await self._path.likeness(around.source, around.target) if whole else None
                async with aclosing(self._pages(reading, Sides(read, around.target, likeness), self._high(around))) as chunks:
                    async for chunk in chunks:
                        yield chunk
        yield Mark(self.schedule.job, place.mark, replace(place, done=True).cursor)

    async def _pages(self, reading: Reading, sides: Sides, high: str | None) -> AsyncGenerator[Chunk, None]:
        """Span by span; what the target has behind the last row belongs to the last page."""
        low, last = reading.place.low, False
        while not last:
            parts, last = await sides.span(self._chosen(reading, KeyRange(low, high)))
            for number, part in enumerate(parts, 1):
                async with aclosing(self._part(reading, sides.read, part, last=last and number == len(parts))) as chunks:
                    async for chunk in chunks:
                        yield chunk
            low = parts[-1].bounds.high

    async def _part(self, reading: Reading, read: FencedRead, part: Part, *, last: bool) -> AsyncGenerator[Chunk, None]:
        if part.alike is not None:
            yield Alike(reading, part.alike, part.bounds, last)
            return
        bad: list[str] = []
        async with aclosing(copied(read, self.flow, self._chosen(reading, part.bounds))) as pages:
            async for rows in pages:
                bad += rows.bad
                yield Page(reading, rows, last and rows.bounds.high == part.bounds.high)
        await self._name(read, bad)

    async def _name(self, read: FencedRead, keys: list[str]) -> None:
        """Say which rows are bad, and why: the counts do not."""
        found = await read.rows_of(keys[:NAMED_BAD]) if keys else {}
        for key, row in found.items():
            log.warning("%s: row %s stays as it was: %s", self.schedule.job, key, self._path.problem(row.content))
        if more := len(keys) - len(found):
            log.warning("%s: and %d more, up to row %s", self.schedule.job, more, keys[-1])

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
