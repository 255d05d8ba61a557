"""Rows that are new since the last run."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from batch_timers.flow_job import FlowJob
from batch_timers.interface import Around, Chunk
from batch_timers.pages import Mark, Page
from batch_timers.span import Span
from flows.batch_model import NewRowsFlow
from sinks import new_rows, watermarks
from sinks.job_ledger import Counts
from sinks.pool import Session


@dataclass(frozen=True)
class _Resolving:
    """Fills in what has become known of the references of rows, also of those that earlier runs wrote."""

    flow: NewRowsFlow
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """Filled rows count as read and written."""
        found = await session.row(new_rows.resolving_statement(self.flow), {"flow": self.flow.name})
        return Counts(written=found[0] if found else 0)


class NewRows(FlowJob[NewRowsFlow]):
    """The job of a :class:`NewRowsFlow`. With its parameter ``all`` it reads the whole source, and leaves the watermark alone."""

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
        span = await self._span(around)
        after = span.after or [None, None]
        reading, writing = new_rows.page_statement(self.flow), new_rows.writing_statement(self.flow)
        while True:
            async with around.source.session() as session:
                found = await session.rows(reading, {"since": span.since, "time": after[0], "key": after[1]})
            if not found:
                break
            after = list(found[-1][1:])
            yield Page(self.flow.name, writing, [row for row, *_ in found], span.cursor(after))
        if self.flow.reference is not None:
            yield _Resolving(self.flow, span.cursor(after))
        yield Mark(self.schedule.job, span.mark, span.cursor(after))

    async def _span(self, around: Around) -> Span:
        if around.parameters.get("all"):
            return Span(None, None, around.cursor and around.cursor[2])
        return await Span.of(around, self.schedule.job, self.flow.overlap)
