"""A full refresh: read whole, written whole, in one transaction."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from batch_timers.failures import Refused
from batch_timers.flow_job import FlowJob
from batch_timers.interface import Around, Chunk
from flows.batch_model import RefreshFlow
from settings import PROGRAM
from sinks import refresh_rows
from sinks.job_ledger import Counts
from sinks.pool import Session


@dataclass(frozen=True)
class _Everything:
    """All rows that count: ``rows`` is a JSON array."""

    flow: RefreshFlow
    rows: str
    count: int
    cursor: str = "written"

    async def write(self, session: Session) -> Counts:
        """One statement. Retired rows count as read and written."""
        found = await session.row(refresh_rows.writing_statement(self.flow), {"rows": self.rows})
        assert found is not None, "the statement answers one row"
        written, retired = found
        return Counts(written=written + retired, unchanged=self.count - written)


class Refresh(FlowJob[RefreshFlow]):
    """The job of a :class:`RefreshFlow`."""

    async def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """One chunk. Raises ``Refused`` when the source is empty, unless the run is forced or nothing is there to be retired."""
        if around.cursor is not None:
            return
        async with around.source.session() as session:
            found = await session.row(refresh_rows.reading_statement(self.flow))
        assert found is not None, "an aggregate answers one row"
        rows, count, all_rows = found
        if not all_rows and not around.forced and await self._any_active(around):
            raise Refused(
                f"{self.flow.source.table.qualified} is empty, so that every row of the target would be retired;"
                f" if that is meant: `{PROGRAM} jobs run {self.schedule.job} --force`"
            )
        yield _Everything(self.flow, rows, count)

    async def _any_active(self, around: Around) -> bool:
        async with around.target.session() as session:
            found = await session.row(refresh_rows.active_statement(self.flow))
        return bool(found and found[0])
