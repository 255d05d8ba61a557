"""Rows that are new since the last run."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from batch_timers.interface import Around, Chunk
from batch_timers.span import Span
from flows.batch_model import NewRowsFlow
from flows.schedule import Schedule
from sinks import new_rows, watermarks
from sinks.batch_columns import array
from sinks.job_ledger import Counts
from sinks.pool import Session


@dataclass(frozen=True)
class _Page:
    flow: NewRowsFlow
    rows: list[str]
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Rows that are there already stay as they are."""
        parameters = {"flow": self.flow.name, "rows": array(self.rows)}
        found = await session.row(new_rows.writing_statement(self.flow), parameters)
        assert found is not None, "the statement answers one row"
        return Counts(written=found[0], unchanged=len(self.rows) - found[0])


@dataclass(frozen=True)
class _Last:
    """Behind the last page: the watermark, and what has become known since earlier runs."""

    flow: NewRowsFlow
    mark: datetime | None
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Filled rows count as read and written."""
        if self.mark is not None:
            await watermarks.raise_to(session, self.flow.schedule.job, self.mark)
        if self.flow.reference is None:
            return Counts()
        found = await session.row(new_rows.resolving_statement(self.flow), {"flow": self.flow.name})
        return Counts(written=found[0] if found else 0)


class NewRows:
    """The job of a :class:`NewRowsFlow`."""

    def __init__(self, flow: NewRowsFlow) -> None:
        self.flow = flow

    @property
    def schedule(self) -> Schedule:
        """When it runs."""
        return self.flow.schedule

    async def expected(self, around: Around) -> int | None:
        """Counted with the index of the time."""
        async with around.target.session() as session:
            taken = await watermarks.taken(session, self.schedule.job)
        async with around.source.session() as session:
            since = taken and taken - self.flow.overlap
            found = await session.row(new_rows.counting_statement(self.flow), {"since": since})
        return found[0] if found else None

    async def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """Pages by time of creation and key, then what ends the run."""
        span = await Span.of(around, self.schedule.job, self.flow.overlap)
        after = span.after or [None, None]
        statement = new_rows.page_statement(self.flow)
        while True:
            async with around.source.session() as session:
                found = await session.rows(statement, {"since": span.since, "time": after[0], "key": after[1]})
            if not found:
                break
            after = list(found[-1][1:])
            yield _Page(self.flow, [row for row, *_ in found], span.cursor(after))
        yield _Last(self.flow, span.mark, span.cursor(after))
