"""Groups that rows have joined since the last run, computed anew in the source."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from batch_timers.flow_job import FlowJob
from batch_timers.interface import Around, Chunk
from batch_timers.pages import Mark
from batch_timers.reading_ahead import one_ahead
from batch_timers.span import Span
from flows.batch_model import AggregateFlow
from sinks import aggregate_rows
from sinks.job_ledger import Counts
from sinks.json_text import json_text
from sinks.pool import Session

#: Of the source, for each step of the one statement: half a million events are grouped and sorted without going to disk.
WORK_MEMORY: Final = "64MB"


@dataclass(frozen=True)
class Groups:
    """A page: ``values`` are those of each target column, the text of an array. No group is an object of Python's."""

    flow: AggregateFlow
    groups: int
    values: tuple[str, ...]
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Groups that are there as they should be stay untouched."""
        statement = aggregate_rows.writing_statement(self.flow)
        found = await session.row(statement, aggregate_rows.parameters(self.flow, self.values))
        assert found is not None, "the statement answers one row"
        return Counts(written=found[0], unchanged=self.groups - found[0])


class Aggregate(FlowJob[AggregateFlow]):
    """The job of an :class:`AggregateFlow`. Its parameter ``days``, a list of dates, asks for all groups of these days."""

    def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """Pages by key, then the watermark; by-hand days leave that alone."""
        return one_ahead(self._chunks(around))

    async def _chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        days = around.parameters.get("days")
        span = Span(None, None, around.cursor and around.cursor[2]) if days else await self._span(around)
        after = span.after
        async with self._pages(around, span, days) as session:
            while found := await session.row("FETCH 1 FROM pages"):
                groups, last, *values = found
                after = msgspec.json.decode(last)
                yield Groups(self.flow, groups, tuple(values), span.cursor(after))
        yield Mark(self.schedule.job, span.mark, span.cursor(after))

    async def _span(self, around: Around) -> Span:
        return await Span.of(around, self.schedule.job, self.flow.overlap)

    @asynccontextmanager
    async def _pages(self, around: Around, span: Span, days: list[str] | None) -> AsyncIterator[Session]:
        """A session with the open cursor, which is read to its end: a plan for the first rows would look up group by group."""
        parameters = {
            "since": span.since,
            "days": json_text(days),
            "after": None if span.after is None else json_text(span.after),
        }
        async with around.source.session() as session:
            await session.run(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0;"
                f"SET LOCAL enable_seqscan = on; SET LOCAL cursor_tuple_fraction = 1; SET LOCAL work_mem = '{WORK_MEMORY}'"
            )
            await session.run(aggregate_rows.cursor_statement(self.flow, self._rows(span, days)), parameters)
            yield session
            await session.run("COMMIT")

    def _rows(self, span: Span, days: list[str] | None) -> aggregate_rows.Rows:
        """Where every group is asked for there is nothing to join: each row is read once."""
        if days:
            return aggregate_rows.rows_of_days(self.flow)
        return aggregate_rows.all_rows(self.flow) if span.since is None else aggregate_rows.rows_of_touched_groups(self.flow)
