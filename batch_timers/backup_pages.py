"""Chunks of a job that backs up an event flow: a page of rows that are compared, or a range of which nothing need be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from batch_timers.event_path import EventPath
from batch_timers.failures import NotNow
from sinks import flow_state
from sinks.copied_rows import Copied
from sinks.copying import CopySession
from sinks.job_ledger import Counts
from sinks.pool import Session
from sinks.source_rows import Fence, KeyRange
from sinks.staging import Found

#: What was done about rows that events had missed.
WRITTEN: Final = "written"
REMOVED: Final = "removed"


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
    place: Place
    through: bool
    whole: bool

    def behind(self, bounds: KeyRange, *, last: bool) -> list[Any]:
        """The cursor behind a chunk."""
        return replace(self.place, low=bounds.high, done=last).cursor

    async def strays(self, session: Session, *, last: bool) -> list[str]:
        """What no row stands behind is known when all rows have been seen."""
        return await self.path.settle_strays(session) if last and self.whole else []


@dataclass(frozen=True)
class Page:
    """Rows as the source has mapped them. ``last``: no chunk with rows follows."""

    reading: Reading
    rows: Copied
    last: bool

    @property
    def cursor(self) -> Any:
        """Behind the page."""
        return self.reading.behind(self.rows.bounds, last=self.last)

    async def write(self, session: Session) -> Counts:
        """Compare, and write what differs."""
        assert isinstance(session, CopySession), "a run's sessions can copy"
        path, asked = self.reading.path, {"extras": self.reading.whole, "named": self.reading.through}
        await refuse_unless_running(session, path)
        found = await path.write(session, self.rows, self.reading.fence, **asked)
        groups = await path.settle(session) + await self.reading.strays(session, last=self.last)
        return self._counts(found, groups)

    def _counts(self, found: Found, groups: list[str]) -> Counts:
        """A row that is newer in the target by now, or that waits for its reference, is left to its events."""
        left = found.differing + found.extra - found.won
        missed = [(key, WRITTEN) for key in (*found.written, *groups)] + [(key, REMOVED) for key in found.removed]
        return Counts(
            written=found.won + len(groups),
            unchanged=self.rows.timely - found.differing - found.waiting,
            skipped=self.rows.late + found.waiting + left,
            failed=len(self.rows.bad),
            missed=tuple(sorted(missed)) if self.reading.through else (),
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
