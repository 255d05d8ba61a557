"""All jobs, as the flows declare them. What each does stands with its flow's kind; this is when and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flows.batch_registry import BATCH_FLOWS
from flows.registry import FLOWS
from flows.schedule import Schedule
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


JOBS: Final[tuple[Job, ...]] = tuple(_declared())


def job_named(name: str) -> Job:
    """The job of that name; raises :class:`UnknownJob`."""
    for job in JOBS:
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
