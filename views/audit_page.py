"""The page of the audit: who did what, when and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from views.gathering import Gathering
from views.model import Silence
from views.page import Wish
from views.sources import Sources

if TYPE_CHECKING:
    from sinks.operations.audit import Deed

LIMIT: Final = 100


@dataclass(frozen=True)
class AuditLine:
    """A line, and the database that keeps it."""

    database: str
    deed: Deed


@dataclass(frozen=True)
class AuditView:
    """Newest first. ``older``: from where the next page goes back; ``None`` at the end."""

    at: datetime
    silences: tuple[Silence, ...]
    lines: tuple[AuditLine, ...]
    older: datetime | None


class AuditPage:
    """Looks at what both databases have kept."""

    def __init__(self, sources: Sources) -> None:
        self._records = sources.records
        self._clock = sources.clock

    async def look(self, wish: Wish) -> AuditView:
        """Lines ``before`` a time in ISO 8601; without one the newest."""
        found, before = Gathering(), _moment(wish.get("before"))
        read = await found.of_each("audit", partial(self._records.audit, before=before, limit=LIMIT + 1))
        lines = [AuditLine(database.value, deed) for database, deeds in read.items() for deed in deeds]
        lines.sort(key=lambda line: line.deed.at, reverse=True)
        shown = tuple(lines[:LIMIT])
        return AuditView(self._clock(), found.silences, shown, shown[-1].deed.at if len(lines) > LIMIT else None)


def _moment(text: str | None) -> datetime | None:
    """What is no time stands for none."""
    try:
        read = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
