"""A job that backs up an event flow: reads the source behind a fence, and writes what is not in the target as it should be.

Rows go the way of events: their mapping, their version guard, with the fence as version. So a batch overwrites nothing newer, and
makes nothing newer look stale. Before the first page the run waits until events are known to be applied up to its snapshot. Then
what it still finds is what events have missed, and it is listed by key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from batch_timers.event_path import BadRow, EventPath, Wanted
from batch_timers.failures import NotNow
from batch_timers.interface import Around, Chunk
from batch_timers.pages import Mark
from flows.schedule import Schedule
from sinks import event_progress, flow_state, source_identity, watermarks
from sinks.backup_rows import REMOVED, WAITING, WRITTEN
from sinks.job_ledger import Counts
from sinks.json_text import json_text
from sinks.pool import Pool, Session
from sinks.source_rows import Fence, FencedRead, SourceRow, fenced_read

#: Small, because rows are mapped in the worker's event loop, which must not stand still for events.
PAGE_ROWS: Final = 1000
#: Clocks of a source's writers may differ, and a row's time is not its commit's.
OVERLAP: Final = timedelta(minutes=15)
_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True)
class _Place:
    """A run's cursor. ``since``: rows that have not changed since then are left out. ``mark``: the next run's ``since``."""

    since: datetime | None
    mark: datetime
    after: str | None

    def behind(self, key: str | None) -> list[Any]:
        """The JSON value of the cursor behind a key."""
        return [self.since, self.mark, key]


@dataclass(frozen=True)
class _Page:
    """Rows behind ``after`` up to ``last``, ``None``: to the end of the source. ``late`` and ``bad`` are not among the good."""

    reading: _Reading
    keys: list[str]
    good: list[Wanted]
    late: int
    bad: int
    after: str | None
    last: str | None
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Compare, and write what differs."""
        path, fence = self.reading.path, self.reading.fence
        await _refuse_unless_running(session, path)
        found = dict(await session.rows(self.reading.statement, self._parameters()))
        states = [row.state for row in self.good if found.get(row.key) == WRITTEN]
        states += [path.absent(key, fence) for key, what in found.items() if what == REMOVED]
        won = await path.write(session, states) if states else frozenset[str]()
        groups = await path.settle(session, self.keys, last=self.last is None)
        return self._counts(found, won, groups)

    def _parameters(self) -> dict[str, str | None]:
        rows = (b"[%b]" % b",".join(row.document for row in self.good)).decode()
        return {"rows": rows, "present": json_text(self.keys), "after": self.after, "last": self.last}

    def _counts(self, found: dict[str, str], won: frozenset[str], groups: list[str]) -> Counts:
        """A row that is newer in the target by now, or that waits for its reference, is left to its events."""
        waiting = sum(what == WAITING for what in found.values())
        left = len(found) - waiting - len(won)
        extra = sum(what == REMOVED for what in found.values())
        missed = [(key, found[key]) for key in sorted(won)] + [(group, WRITTEN) for group in groups]
        return Counts(
            written=len(won) + len(groups),
            unchanged=len(self.good) - (len(found) - extra),
            skipped=self.late + waiting + left,
            failed=self.bad,
            missed=tuple(missed) if self.reading.through else (),
        )


@dataclass(frozen=True)
class _Reading:
    """What the pages of one snapshot have in common."""

    path: EventPath
    fence: Fence
    statement: str
    place: _Place
    through: bool

    def page(self, keys: list[str], rows: list[SourceRow], after: str | None, last: str | None) -> _Page:
        """Map the rows; what changed behind the fence is left to its events."""
        mapped = [(row.late, self._wanted(row)) for row in rows]
        good = [wanted for late, wanted in mapped if wanted is not None and not late]
        bad = sum(wanted is None for _, wanted in mapped)
        cursor = self.place.behind(last or after)
        return _Page(self, keys, good, len(rows) - len(good) - bad, bad, after, last, cursor)

    def _wanted(self, row: SourceRow) -> Wanted | None:
        try:
            return self.path.wanted(row.content, self.fence)
        except BadRow:
            return None


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
        if self.schedule.changed is not None:
            return None
        async with around.source.session() as session:
            name = self.flow.source.table.qualified
            row = await session.row("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", (name,))
        return max(row[0], 0) if row else None

    async def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """Pages in the order of the primary key, all of one snapshot; a run that is resumed has another one."""
        epoch = await self._epoch(around)
        async with fenced_read(around.source, self.flow, wait=around.fence_wait) as read:
            place = await self._place(around, read.session)
            through = await self._events_are_through(read)
            statement = self._path.comparison(extras=self._full)
            reading = _Reading(self._path, Fence(epoch, read.lsn), statement, place, through)
            after = place.after
            async for keys, rows in read.changed(self.schedule.changed, place.since, after, PAGE_ROWS):
                yield reading.page(keys, rows, after, keys[-1])
                after = keys[-1]
            if self._full:  # What the target has behind the last row is too much.
                yield reading.page([], [], after, None)
        yield Mark(self.schedule.job, place.mark, place.behind(None))

    @property
    def _full(self) -> bool:
        return self.schedule.changed is None

    async def _place(self, around: Around, source: Session) -> _Place:
        if around.cursor is not None:
            since, mark, after = around.cursor
            return _Place(since and datetime.fromisoformat(since), datetime.fromisoformat(mark), after)
        row = await source.row("SELECT now()")
        assert row is not None, "a SELECT without FROM answers one row"
        return _Place(await self._since(around, row[0]), row[0], None)

    async def _since(self, around: Around, now: datetime) -> datetime | None:
        """The window, or the last good run, whichever is older, so that a failed day is not lost. Without one: everything."""
        if self.schedule.changed is None:
            return None
        async with around.target.session() as session:
            taken = await watermarks.taken(session, self.schedule.job)
        return taken and min(taken, now - self.schedule.window) - OVERLAP

    async def _epoch(self, around: Around) -> int:
        """Raises ``SourceReplaced``."""
        async with around.source.session() as session:
            identity = await source_identity.identify(session)
        async with around.target.session() as session:
            await _refuse_unless_running(session, self._path)
            return await source_identity.epoch_of(session, self.flow.source.table.database.value, identity)

    async def _events_are_through(self, read: FencedRead) -> bool:
        """Wait until events are applied up to the snapshot. False when that does not come: nobody can say what they missed."""
        row = await read.session.row("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
        assert row is not None, "a SELECT without FROM answers one row"
        loop = asyncio.get_running_loop()
        deadline, since = loop.time() + self._events_wait, None
        while True:
            since = since or await self._published(read.session, row[0])
            if since is not None and await self._applied(since):
                return True
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(_LOOK_SECONDS)

    async def _published(self, source: Session, lsn: int) -> datetime | None:
        """The present, if everything up to the position is in Kafka now."""
        if not await event_progress.published(source, self.flow, lsn):
            return None
        async with self._workers.session() as session:
            return await event_progress.present(session)

    async def _applied(self, since: datetime) -> bool:
        async with self._workers.session() as session:
            return await event_progress.applied(session, self.flow, since)


async def _refuse_unless_running(session: Session, path: EventPath) -> None:
    """What the events of a paused or stopped flow wait for must not be written past it."""
    found = await flow_state.read(session, path.flow.name)
    if found.state != flow_state.RUNNING:
        raise NotNow(f"the flow {path.flow.name} is {found.state}: {found.reason}")
