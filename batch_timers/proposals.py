"""What a tick of the timer writes into the job ledger: one line for every slot since the last, so that none is lost. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from batch_timers.closures import Calendar
from batch_timers.plan import Fate, Planned, placed
from batch_timers.slots import slot_before, slots
from flows.schedule import Schedule

#: A slot that is noticed later than this was missed. Above the timer's minute, and the pause of a rebalance.
PUNCTUAL: Final = timedelta(minutes=5)
#: Lines of one tick: two months of an hourly job. They are computed in the event loop, which must not stand still for events.
AT_ONCE: Final = 1500


@dataclass(frozen=True)
class Proposal:
    """A line for the ledger. ``due_at``: not before. ``into``: the slot that does the work of one that is coalesced."""

    job: str
    scheduled_for: datetime
    fate: Fate
    due_at: datetime
    into: datetime | None
    reason: str


def proposals(schedule: Schedule, known: datetime, now: datetime, calendar: Calendar) -> Iterator[Proposal]:
    """Lines for the slots behind ``known``, the newest that the ledger has, up to ``now``.

    Of several the newest is made good, once; the others are coalesced into it. Very many are told in several ticks, the newest
    last. A clock that went back proposes nothing.
    """
    found = slots(schedule.cron, known, now, AT_ONCE + 1)
    if not found:
        return
    complete = len(found) <= AT_ONCE
    missed, newest = found[:-1], found[-1] if complete else slot_before(schedule.cron, now)
    for slot in missed:
        yield Proposal(schedule.job, slot, Fate.COALESCED, slot, newest, "missed: the newest missed slot is made good for all")
    if not complete:
        return
    late = now - newest > PUNCTUAL
    yield _proposal(placed(schedule, newest, now if late else newest, calendar), late=late)


def _proposal(planned: Planned, *, late: bool) -> Proposal:
    reason = f"missed: nobody was up; {planned.why}" if late else planned.why
    due_at = planned.starts_at or planned.scheduled_for
    return Proposal(planned.job, planned.scheduled_for, planned.fate, due_at, planned.into, reason)
