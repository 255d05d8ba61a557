"""Groups that rows have joined since the last run, computed anew in the source."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from batch_timers.interface import Around, Chunk
from batch_timers.span import Span
from flows.batch_model import AggregateFlow
from flows.schedule import Schedule
from sinks import aggregate_rows, watermarks
from sinks.batch_columns import array
from sinks.job_ledger import Counts
from sinks.pool import Session


@dataclass(frozen=True)
class _Page:
    flow: AggregateFlow
    rows: list[str]
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Groups that are as they were stay untouched."""
        parameters = {"flow": self.flow.name, "rows": array(self.rows)}
        found = await session.row(aggregate_rows.writing_statement(self.flow), parameters)
        assert found is not None, "the statement answers one row"
        return Counts(written=found[0], unchanged=len(self.rows) - found[0])


@dataclass(frozen=True)
class _Last:
    flow: AggregateFlow
    mark: datetime | None
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """The watermark."""
        if self.mark is not None:
            await watermarks.raise_to(session, self.flow.schedule.job, self.mark)
        return Counts()


class Aggregate:
    """The job of an :class:`AggregateFlow`. Its parameter ``days``, a list of dates, asks for all groups of these days."""

    def __init__(self, flow: AggregateFlow) -> None:
        self.flow = flow

    @property
    def schedule(self) -> Schedule:
        """When it runs."""
        return self.flow.schedule

    async def expected(self, around: Around) -> int | None:  # noqa: ARG002 as the protocol has it
        """Nobody knows how many groups rows have joined before they are computed."""
        return None

    async def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """Pages by key, then the watermark; by-hand days leave that alone."""
        days = around.parameters.get("days")
        span = Span(None, None, around.cursor and around.cursor[2]) if days else await self._span(around)
        after = span.after
        async with self._groups(around, span, days) as session:
            while found := await session.rows(f"FETCH {aggregate_rows.PAGE_GROUPS} FROM groups"):
                after = msgspec.json.decode(found[-1][1])
                yield _Page(self.flow, [row for row, _ in found], span.cursor(after))
        yield _Last(self.flow, span.mark, span.cursor(after))

    async def _span(self, around: Around) -> Span:
        return await Span.of(around, self.schedule.job, self.flow.overlap)

    @asynccontextmanager
    async def _groups(self, around: Around, span: Span, days: list[str] | None) -> AsyncIterator[Session]:
        """A session with the open cursor. The source's planner may read tables whole: most rows of a day are of use."""
        parameters = {
            "since": span.since,
            "days": None if days is None else msgspec.json.encode(days).decode(),
            "after": None if span.after is None else msgspec.json.encode(span.after).decode(),
        }
        async with around.source.session() as session:
            await session.run(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL enable_seqscan = on"
            )
            await session.run(aggregate_rows.cursor_statement(self.flow, days=days is not None), parameters)
            yield session
            await session.run("COMMIT")
