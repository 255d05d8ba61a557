"""When nothing may start: maintenance by the calendar and on demand, and the portal's peak hours. Pure: no clock is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

INDIA: Final = ZoneInfo("Asia/Kolkata")
#: On the first Sunday of a month, in UTC.
MAINTENANCE: Final = (time(2), time(4))
#: Every day, in India's time.
PEAKS: Final = ((time(9), time(12)), (time(18), time(22)))

_SUNDAY: Final = 6
_DAYS_OF_A_WEEK: Final = 7


@dataclass(frozen=True)
class Closure:
    """A span in which jobs do not start: from ``start`` on, ``end`` is outside. ``maintenance``: running jobs pause, too."""

    start: datetime
    end: datetime
    reason: str
    maintenance: bool = True

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True)
class Calendar:
    """What is closed when. ``on_demand``: maintenance that operators have asked for."""

    on_demand: tuple[Closure, ...] = ()

    def maintenance_at(self, at: datetime) -> Closure | None:
        """The maintenance that a moment is in; of several the one that ends last."""
        found = [each for each in (_first_sunday(at), *self.on_demand) if each and at in each]
        return max(found, key=lambda each: each.end, default=None)

    def closed_at(self, at: datetime, *, avoids_peak: bool) -> Closure | None:
        """What keeps a job from starting at a moment."""
        return self.maintenance_at(at) or (_peak(at) if avoids_peak else None)

    def first_open(self, at: datetime, *, avoids_peak: bool) -> tuple[datetime, tuple[Closure, ...]]:
        """The first moment from ``at`` on at which a job may start, and what it has to wait for."""
        passed = tuple(self._closures_from(at, avoids_peak=avoids_peak))
        return (passed[-1].end if passed else at), passed

    def _closures_from(self, at: datetime, *, avoids_peak: bool) -> Iterator[Closure]:
        while closure := self.closed_at(at, avoids_peak=avoids_peak):
            yield closure
            at = closure.end

    def next_maintenance(self, start: datetime, end: datetime) -> Closure | None:
        """The first maintenance that begins within a span."""
        sundays = (_first_sunday(start + timedelta(days=day)) for day in range((end - start).days + 2))
        found = [each for each in (*sundays, *self.on_demand) if each and start <= each.start < end]
        return min(found, key=lambda each: each.start, default=None)


def _first_sunday(at: datetime) -> Closure | None:
    """The window of the day, where it is a first Sunday."""
    if at.weekday() != _SUNDAY or at.day > _DAYS_OF_A_WEEK:
        return None
    start, end = (datetime.combine(at.date(), each, at.tzinfo) for each in MAINTENANCE)
    return Closure(start, end, "maintenance on the first Sunday of the month")


def _peak(at: datetime) -> Closure | None:
    there = at.astimezone(INDIA)
    for begins, ends in PEAKS:
        if begins <= there.time() < ends:
            start, end = (datetime.combine(there.date(), each, INDIA).astimezone(at.tzinfo) for each in (begins, ends))
            return Closure(start, end, f"peak hours {begins:%H}-{ends:%H} IST", maintenance=False)
    return None
