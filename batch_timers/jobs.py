"""All jobs, as the flows declare them, and the reconciliation's. What each does stands elsewhere; this is when and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from flows.batch_model import BatchFlow
from flows.batch_registry import BATCH_FLOWS, all_flows_into
from flows.definition import Definition
from flows.model import CapturedFlow, Flow
from flows.registry import CAPTURED, FLOWS, flows_into
from flows.row_model import MirrorFlow
from flows.schedule import After, Schedule
from flows.summary_model import SummaryFlow
from flows.tables import Database

#: Compares every flow and repairs it; throttled in peak hours, not kept from starting in them. A job of this name and the flow's
#: for each, which takes the lane of the flow's other jobs and yields to them.
WEEKLY: Final = "weekly_reconciliation"
#: The same in light mode, at 01:30 IST, when neither the portal nor another daily job is busy. Not of flows that batch jobs alone
#: carry: these jobs are daily themselves.
DAILY: Final = "daily_reconciliation"
#: The lane of flows that no other job carries.
RECONCILIATION_LANE: Final = "reconciliation"
_ONE_AFTER_THE_OTHER: Final = {WEEKLY: timedelta(hours=12), DAILY: timedelta(hours=3)}


@dataclass(frozen=True)
class Job:
    """A schedule, the flow that it carries and the target database, which holds the job's ledger."""

    schedule: Schedule
    flow: str
    database: Database

    @property
    def name(self) -> str:
        """Unique among all jobs."""
        return self.schedule.job

    @property
    def group(self) -> str:
        """What it is a part of; its name, where it is nothing's."""
        return group_of(self.name)


class UnknownJob(KeyError):
    """No job has that name; the message lists those that exist."""

    def __str__(self) -> str:
        return str(self.args[0])


def _declared() -> Iterator[Job]:
    for batch in BATCH_FLOWS:
        yield Job(batch.schedule, batch.name, batch.target.table.database)
    for flow in FLOWS:
        yield from (Job(schedule, flow.name, flow.target.table.database) for schedule in flow.schedules)
    for database in Database:
        weekly = Schedule(WEEKLY, "0 3 * * sun", timedelta(hours=1), yields=True)
        yield from _one_after_the_other(all_flows_into(database), weekly)
        yield from _one_after_the_other(flows_into(database), Schedule(DAILY, "0 20 * * *", timedelta(minutes=30), yields=True))


def _one_after_the_other(flows: Sequence[Definition], whole: Schedule) -> Iterator[Job]:
    """A job per flow of one target, each after the one before: what others refer to is good first."""
    before: str | None = None
    for flow in flows:
        name = _part(whole.job, flow)
        lane = _lane(flow)
        after = After(before, _ONE_AFTER_THE_OTHER[whole.job]) if before else None
        fuller = _part(WEEKLY, flow) if whole.job == DAILY else None
        yield Job(replace(whole, job=name, lane=lane, after=after, superseded_by=fuller), flow.name, flow.target.table.database)
        before = name


def _lane(flow: Definition) -> str:
    """That of the flow's other jobs."""
    others = (flow.schedule,) if isinstance(flow, BatchFlow) else flow.schedules if isinstance(flow, Flow) else ()
    return others[0].lane if others else RECONCILIATION_LANE


def _part(group: str, flow: Definition) -> str:
    return f"{group}:{flow.name}"


def group_of(job: str) -> str:
    """The name before the flow's."""
    return job.partition(":")[0]


def backfill_schedule(flow: CapturedFlow) -> Schedule | None:
    """That of the job behind `backfill`, which is in no calendar; ``None`` for a kind of flow that is rebuilt by its lanes.

    It shares the lane of the jobs that carry the same rows.
    """
    if not isinstance(flow, MirrorFlow | SummaryFlow):
        return None
    name = f"backfill_{flow.name}"
    lane = flow.schedules[0].lane if flow.schedules else name
    changed = next((schedule.changed for schedule in flow.schedules if schedule.changed), None)
    return Schedule(name, "", expected=timedelta(hours=1), lane=lane, avoids_peak=True, changed=changed)


def _backfills() -> Iterator[Job]:
    for flow in CAPTURED:
        if (schedule := backfill_schedule(flow)) is not None:
            yield Job(schedule, flow.name, flow.target.table.database)


#: Those of the calendar.
JOBS: Final[tuple[Job, ...]] = tuple(_declared())
#: Those that only operators ask for.
BACKFILLS: Final[tuple[Job, ...]] = tuple(_backfills())


def job_named(name: str) -> Job:
    """The job of that name; raises :class:`UnknownJob`."""
    for job in (*JOBS, *BACKFILLS):
        if job.name == name:
            return job
    raise UnknownJob(f"no job {name!r}; there are: {', '.join(dict.fromkeys(job.group for job in JOBS))}")


def jobs_named(name: str) -> tuple[Job, ...]:
    """The jobs of a group, or the job of that name; raises :class:`UnknownJob`."""
    return tuple(job for job in JOBS if job.group == name) or (job_named(name),)


def problems(jobs: tuple[Job, ...]) -> list[str]:
    """What contradicts itself between jobs: names that stand twice, others that do not exist, lanes across databases."""
    named = {job.name: job for job in jobs}
    found = [f"job {name!r} stands twice" for name in sorted(named) if sum(job.name == name for job in jobs) > 1]
    for job in jobs:
        waits = job.schedule.after.job if job.schedule.after else None
        for other in filter(None, (waits, job.schedule.superseded_by)):
            if other not in named:
                found.append(f"job {job.name} names {other!r}, which does not exist")
            elif named[other].database is not job.database:
                found.append(f"job {job.name} and {other} have their ledgers in different databases")
    return found
