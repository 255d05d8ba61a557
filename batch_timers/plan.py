"""What will become of each slot of a span, by the calendar alone: as if every run took as long as it is expected to. Pure."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import Job
from batch_timers.slots import slot_from, slots
from flows.schedule import Schedule

#: A slot before the span may be deferred into it, or its run may reach into it.
_LOOK_BACK: Final = timedelta(days=1)


class Fate(StrEnum):
    """What becomes of a slot."""

    RUNS = "runs"
    DEFERRED = "deferred"
    COALESCED = "coalesced"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Planned:
    """A slot. ``starts_at``: not before; ``None`` when it does not run itself. ``into``: the slot that does its work."""

    job: str
    scheduled_for: datetime
    fate: Fate
    starts_at: datetime | None
    into: datetime | None
    why: str


def plan(jobs: Iterable[Job], start: datetime, end: datetime, calendar: Calendar) -> list[Planned]:
    """Every slot from ``start`` until before ``end``, and earlier ones that are deferred into the span, in order of time."""
    jobs = tuple(jobs)
    found = [placed(job.schedule, slot, slot, calendar) for job in jobs for slot in _slots(job, start - _LOOK_BACK, end)]
    settled = list(_superseding(jobs, found))
    shown = [each for each in settled if each.scheduled_for >= start or (each.starts_at and each.starts_at >= start)]
    return sorted(shown, key=lambda each: (each.starts_at or each.scheduled_for, each.scheduled_for, each.job))


def placed(schedule: Schedule, slot: datetime, at: datetime, calendar: Calendar) -> Planned:
    """What becomes of a slot that is looked at ``at``, which is the slot itself or, when it was missed, later."""
    closed = calendar.maintenance_at(slot)
    if schedule.often and closed is not None:
        into = slot_from(schedule.cron, closed.end)
        return Planned(schedule.job, slot, Fate.COALESCED, None, into, f"{closed.reason}: the first run after it does its work")
    starts, passed = calendar.first_open(at, avoids_peak=schedule.avoids_peak)
    fate = Fate.DEFERRED if passed else Fate.RUNS
    return Planned(schedule.job, slot, fate, starts, None, "; ".join(_reasons(schedule, starts, passed, calendar)))


def _slots(job: Job, start: datetime, end: datetime) -> list[datetime]:
    tick = timedelta(microseconds=1)
    return slots(job.schedule.cron, start - tick, end - tick)


def _reasons(schedule: Schedule, starts: datetime, passed: Sequence[Closure], calendar: Calendar) -> Iterator[str]:
    if passed:
        yield "deferred: " + ", then ".join(closure.reason for closure in passed)
    else:
        yield "on time"
    if schedule.after is not None:
        yield f"waits for {schedule.after.job}, at most until {starts + schedule.after.within:%H:%M} UTC"
    crossing = calendar.next_maintenance(
        starts, starts + schedule.expected + (schedule.after.within if schedule.after else timedelta(0))
    )
    if crossing is not None:
        yield f"if it still runs at {crossing.start:%H:%M} UTC, it pauses until {crossing.end:%H:%M} UTC"


def _superseding(jobs: Iterable[Job], found: Sequence[Planned]) -> Iterator[Planned]:
    """Slots at a time when the job runs that does all that they would do."""
    schedules = {job.name: job.schedule for job in jobs}
    starts: dict[str, list[datetime]] = {}
    for each in found:
        if each.starts_at is not None:
            insort(starts.setdefault(each.job, []), each.starts_at)
    for each in found:
        fuller = schedules.get(schedules[each.job].superseded_by or "")
        running = _running(fuller, starts.get(fuller.job, []), each.starts_at) if fuller and each.starts_at else None
        if fuller is None or running is None:
            yield each
        else:
            why = f"{fuller.job} runs from {running:%H:%M} UTC and does all of it"
            yield replace(each, fate=Fate.SUPERSEDED, starts_at=None, why=why)


def _running(schedule: Schedule, starts: Sequence[datetime], at: datetime) -> datetime | None:
    """When the run began that is expected to go on at a moment; ``starts`` in order."""
    place = bisect_right(starts, at)
    return starts[place - 1] if place and at < starts[place - 1] + schedule.expected else None
