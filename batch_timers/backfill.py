"""The job behind `backfill`: rows of an event flow that an operator has chosen, the way of :class:`Backup`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from batch_timers.backup import Backup
from batch_timers.backup_pages import Place
from batch_timers.interface import Around
from sinks.pool import Session
from sinks.source_rows import Chosen, KeyRange, count


def chosen(changed: str | None, parameters: Mapping[str, Any]) -> Chosen:
    """The rows that a run's parameters ask for: ``low``, ``high`` (keys) and ``since`` (ISO 8601), each if it is given."""
    since = parameters.get("since")
    bounds = KeyRange(parameters.get("low"), parameters.get("high"))
    return Chosen(bounds, changed, None if since is None else datetime.fromisoformat(since))


class Backfill(Backup):
    """It leaves no watermark: that of the flow's other jobs stands."""

    async def expected(self, around: Around) -> int | None:
        """Counted, where not all rows are asked for."""
        wanted = chosen(self.schedule.changed, around.parameters)
        if wanted.bounds == KeyRange() and wanted.since is None:
            return await self._rows_of_all(around)
        async with around.source.session() as session:
            return await count(session, self.flow, wanted)

    async def _start(self, around: Around, source: Session) -> Place:  # noqa: ARG002 the window is the operator's
        wanted = chosen(self.schedule.changed, around.parameters)
        return Place(wanted.since, None, wanted.bounds.low)

    def _high(self, around: Around) -> str | None:
        return chosen(self.schedule.changed, around.parameters).bounds.high
