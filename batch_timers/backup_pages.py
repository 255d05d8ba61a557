"""Chunks of a job that backs up an event flow: a page of rows that are compared, or a range of which nothing need be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from batch_timers.event_path import BadRow, EventPath, Wanted
from batch_timers.failures import NotNow
from sinks import flow_state
from sinks.backup_rows import REMOVED, WAITING, WRITTEN
from sinks.job_ledger import Counts
from sinks.json_text import json_text
from sinks.pool import Session
from sinks.source_rows import Fence, KeyRange, SourceRow


@dataclass(frozen=True)
class Place:
    """Where a run is. ``since``: rows that have not changed since then are left out. ``mark``: the next run's ``since``.

    ``low``: the first key of what is still to be done; ``done``: that is nothing.
    """

    since: datetime | None
    mark: datetime | None
    low: str | None = None
    done: bool = False

    @classmethod
    def at(cls, cursor: Any) -> Place:
        """That of a cursor."""
        since, mark, low, *done = cursor
        return cls(_moment(since), _moment(mark), low, bool(done and done[0]))

    @property
    def cursor(self) -> list[Any]:
        """The JSON value that :meth:`at` reads."""
        return [self.since, self.mark, self.low, self.done]


@dataclass(frozen=True)
class Reading:
    """What the chunks of one snapshot have in common.

    ``through``: what is found now, events have missed. ``whole``: rows of the target that the source does not have go.
    """

    path: EventPath
    fence: Fence
    statement: str
    place: Place
    through: bool
    whole: bool

    def page(self, keys: list[str], rows: list[SourceRow], bounds: KeyRange, *, last: bool) -> Page:
        """Map the rows; what changed behind the fence is left to its events."""
        mapped = [(row.late, self._wanted(row)) for row in rows]
        good = [wanted for late, wanted in mapped if wanted is not None and not late]
        bad = sum(wanted is None for _, wanted in mapped)
        return Page(self, keys, good, len(rows) - len(good) - bad, bad, bounds, last)

    def behind(self, bounds: KeyRange, *, last: bool) -> list[Any]:
        """The cursor behind a chunk."""
        return replace(self.place, low=bounds.high, done=last).cursor

    async def strays(self, session: Session, *, last: bool) -> list[str]:
        """What no row stands behind is known when all rows have been seen."""
        return await self.path.settle_strays(session) if last and self.whole else []

    def _wanted(self, row: SourceRow) -> Wanted | None:
        try:
            return self.path.wanted(row.content, self.fence)
        except BadRow:
            return None


@dataclass(frozen=True)
class Page:
    """All rows of ``bounds``. ``late`` and ``bad`` ones are not among the good. ``last``: no chunk with rows follows."""

    reading: Reading
    keys: list[str]
    good: list[Wanted]
    late: int
    bad: int
    bounds: KeyRange
    last: bool

    @property
    def cursor(self) -> Any:
        """Behind the page."""
        return self.reading.behind(self.bounds, last=self.last)

    async def write(self, session: Session) -> Counts:
        """Compare, and write what differs."""
        path, fence = self.reading.path, self.reading.fence
        await refuse_unless_running(session, path)
        found = dict(await session.rows(self.reading.statement, self._parameters()))
        states = [row.state for row in self.good if found.get(row.key) == WRITTEN]
        states += [path.absent(key, fence) for key, what in found.items() if what == REMOVED]
        won = await path.write(session, states) if states else frozenset[str]()
        groups = await path.settle(session, self.keys) + await self.reading.strays(session, last=self.last)
        return self._counts(found, won, groups)

    def _parameters(self) -> dict[str, str | None]:
        rows = (b"[%b]" % b",".join(row.document for row in self.good)).decode()
        return {"rows": rows, "present": json_text(self.keys), **self.bounds._asdict()}

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
class Alike:
    """So many ``rows`` of which source and target hash the same: none of them leaves its database."""

    reading: Reading
    rows: int
    bounds: KeyRange
    last: bool

    @property
    def cursor(self) -> Any:
        """Behind the range."""
        return self.reading.behind(self.bounds, last=self.last)

    async def write(self, session: Session) -> Counts:
        """Look after what is derived from the rows."""
        await refuse_unless_running(session, self.reading.path)
        groups = await self.reading.path.settle_range(session, self.bounds)
        groups += await self.reading.strays(session, last=self.last)
        missed = tuple((group, WRITTEN) for group in groups) if self.reading.through else ()
        return Counts(written=len(groups), unchanged=self.rows, unread=self.rows, missed=missed)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


async def refuse_unless_running(session: Session, path: EventPath) -> None:
    """What the events of a paused or stopped flow wait for must not be written past it."""
    found = await flow_state.read(session, path.flow.name)
    if found.state != flow_state.RUNNING:
        raise NotNow(f"the flow {path.flow.name} is {found.state}: {found.reason}")
