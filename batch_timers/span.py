"""Which rows of a source that only grows a run takes: those since the last run's watermark, less an overlap.

The new watermark is a moment before which no transaction of the source is still to end. So a row that commits late is either
seen by this run or created after the watermark, less the overlap, of the next. While an old transaction stays open the watermark
stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from batch_timers.interface import Around
from sinks import watermarks
from sinks.source_rows import settled_time


@dataclass(frozen=True)
class Span:
    """``since``: rows created before are left out, ``None``: none are. ``mark``: the new watermark, if there is to be one.

    ``after`` is where the next page begins, as the job's statements have it.
    """

    since: datetime | None
    mark: datetime | None
    after: Any = None

    @classmethod
    async def of(cls, around: Around, job: str, overlap: timedelta) -> Span:
        """That of the run's cursor, or a new one."""
        if around.cursor is not None:
            since, mark, after = around.cursor
            return cls(_moment(since), _moment(mark), after)
        mark = await settled_time(around.source, around.fence_wait)
        async with around.target.session() as session:
            taken = await watermarks.taken(session, job)
        return cls(taken and taken - overlap, mark)

    def cursor(self, after: Any) -> list[Any]:
        """The JSON value that :meth:`of` reads."""
        return [self.since, self.mark, after]


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
