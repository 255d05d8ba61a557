"""All jobs, as the flows declare them. What each does stands with its flow's kind; this is when and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flows.batch_registry import BATCH_FLOWS
from flows.model import CapturedFlow
from flows.registry import CAPTURED, FLOWS
from flows.row_model import MirrorFlow
from flows.schedule import Schedule
from flows.summary_model import SummaryFlow
from flows.tables import Database

#: Compares every flow; throttled in peak hours, not kept from starting in them. It takes the lane of the flow at hand.
RECONCILIATION: Final = Schedule("weekly_reconciliation", "0 3 * * sun", expected=timedelta(hours=2))


@dataclass(frozen=True)
class Job:
    """A schedule, the flow that it carries and the target database, which holds the job's ledger.

    ``flow`` and ``database`` are ``None`` for what concerns all flows.
    """

    schedule: Schedule
    flow: str | None
    database: Database | None

    @property
    def name(self) -> str:
        """Unique among all jobs."""
        return self.schedule.job


class UnknownJob(KeyError):
    """No job has that name; the message lists those that exist."""

    def __str__(self) -> str:
        return str(self.args[0])


def _declared() -> Iterator[Job]:
    for batch in BATCH_FLOWS:
        yield Job(batch.schedule, batch.name, batch.target.table.database)
    for flow in FLOWS:
        yield from (Job(schedule, flow.name, flow.target.table.database) for schedule in flow.schedules)
    yield Job(RECONCILIATION, None, None)


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
    raise UnknownJob(f"no job {name!r}; there are: {', '.join(job.name for job in JOBS)}")


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
