"""The moments that a cron line names. Pure: times come in, times in UTC come out."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice

from croniter import croniter, croniter_range

_STEP = timedelta(microseconds=1)


def slots(cron: str, after: datetime, until: datetime, limit: int | None = None) -> list[datetime]:
    """Every moment of the line behind ``after``, up to ``until`` and with it, in order; the first ``limit`` of them."""
    return list(islice(croniter_range(after + _STEP, until, cron), limit)) if after < until else []


def slot_from(cron: str, at: datetime) -> datetime:
    """The first moment of the line at ``at`` or behind it."""
    found: datetime = croniter(cron, at - _STEP).get_next(datetime)
    return found


def slot_before(cron: str, at: datetime) -> datetime:
    """The last moment of the line at ``at`` or before it."""
    found: datetime = croniter(cron, at + _STEP).get_prev(datetime)
    return found
