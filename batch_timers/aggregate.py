"""Groups that rows have joined since the last run, computed anew in the source."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from batch_timers.flow_job import FlowJob
from batch_timers.interface import Around, Chunk
from batch_timers.pages import Mark, Page
from batch_timers.reading_ahead import one_ahead
from batch_timers.span import Span
from flows.batch_model import AggregateFlow
from sinks import aggregate_rows
from sinks.json_text import json_text
from sinks.pool import Session

#: Of the source, for each step of the one statement: half a million events are grouped, joined and sorted without going to disk.
WORK_MEMORY: Final = "64MB"


class Aggregate(FlowJob[AggregateFlow]):
    """The job of an :class:`AggregateFlow`. Its parameter ``days``, a list of dates, asks for all groups of these days."""

    def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """Pages by key, then the watermark; by-hand days leave that alone."""
        return one_ahead(self._chunks(around))

    async def _chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        days = around.parameters.get("days")
        span = Span(None, None, around.cursor and around.cursor[2]) if days else await self._span(around)
        after, statement = span.after, aggregate_rows.writing_statement(self.flow)
        async with self._groups(around, span, days) as session:
            while found := await session.rows(f"FETCH {aggregate_rows.PAGE_GROUPS} FROM groups"):
                after = msgspec.json.decode(found[-1][1])
                yield Page(self.flow.name, statement, [row for row, _ in found], span.cursor(after))
        yield Mark(self.schedule.job, span.mark, span.cursor(after))

    async def _span(self, around: Around) -> Span:
        return await Span.of(around, self.schedule.job, self.flow.overlap)

    @asynccontextmanager
    async def _groups(self, around: Around, span: Span, days: list[str] | None) -> AsyncIterator[Session]:
        """A session with the open cursor, which is read to its end: a plan for the first rows would look up group by group."""
        parameters = {
            "since": span.since,
            "days": None if days is None else json_text(days),
            "after": None if span.after is None else json_text(span.after),
        }
        async with around.source.session() as session:
            await session.run(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0;"
                f"SET LOCAL enable_seqscan = on; SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '{WORK_MEMORY}'"
            )
            await session.run(aggregate_rows.cursor_statement(self.flow, days=days is not None), parameters)
            yield session
            await session.run("COMMIT")
