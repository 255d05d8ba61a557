"""What the pages show of the past and of plans."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.questions import Questions
from batch_timers.closures import Calendar, Closure
from flows.tables import Database
from sinks.operations import maintenance
from views.frame import ANNOUNCED, Window


class KeptRecords:
    """Fulfils ``views.protocols.Records``."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def windows(self) -> Sequence[Window]:
        """By the calendar and on demand."""
        calendar, now = await self._calendar(), datetime.now(UTC)
        found = (calendar.maintenance_at(now), calendar.next_maintenance(now, now + ANNOUNCED))
        return [Window(each.start, each.end, each.reason) for each in found if each is not None]

    async def _calendar(self) -> Calendar:
        standing = [row for database in Database for row in await self._questions.ask(database, maintenance.maintenance)]
        on_demand = {(each.starts_at, each.ends_at, each.reason) for each in standing}
        return Calendar(tuple(Closure(*each) for each in sorted(on_demand)))
