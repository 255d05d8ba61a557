"""Batch jobs and maintenance, from the definitions and the job ledger of one database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final

from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import JOBS, Job
from batch_timers.plan import placed
from batch_timers.slots import slot_from, slots
from flows.tables import Database
from metrics import catalogue
from metrics.model import Metric
from metrics.samples import Samples
from sinks.job_ledger import EVERY_JOB, OPEN, State
from sinks.operations.job_figures import WORKED, JobFigures
from sinks.operations.jobs import JobRun

ENDS: Final = tuple(state for state in State if state not in OPEN)
ROWS: Final = ("read", "written", "unchanged", "skipped", "failed", "missed")

#: A span that has every slot of a week, and a beginning that is one of no line.
_BEGIN: Final = datetime(2024, 1, 1, 0, 0, 30, tzinfo=UTC)
_SPAN: Final = timedelta(days=15)


def job_samples(samples: Samples, database: Database, facts: JobFigures, now: float) -> None:
    """Add the jobs whose ledger is in ``database``, and maintenance; ``now`` in seconds since 1970, by the database's clock."""
    moment = datetime.fromtimestamp(now, UTC)
    calendar = Calendar(tuple(Closure(each.starts_at, each.ends_at, each.reason) for each in facts.maintenance))
    _maintenance(samples, calendar, moment)
    for job in JOBS:
        if job.database in {database, None}:
            _Telling(samples, job, facts, moment).tell(calendar)


@cache
def period(cron: str) -> timedelta:
    """The longest time between two slots."""
    found = slots(cron, _BEGIN, _BEGIN + _SPAN)
    return max(later - earlier for earlier, later in pairwise(found))


def _maintenance(samples: Samples, calendar: Calendar, now: datetime) -> None:
    standing = calendar.maintenance_at(now)
    samples.set(catalogue.MAINTENANCE, standing is not None)
    if standing is not None:
        samples.set(catalogue.MAINTENANCE_SINCE, standing.start.timestamp())
        samples.set(catalogue.MAINTENANCE_UNTIL, standing.end.timestamp())


class _Telling:
    """One job at one moment."""

    def __init__(self, samples: Samples, job: Job, facts: JobFigures, now: datetime) -> None:
        self._samples, self._job, self._facts, self._now = samples, job, facts, now
        self._open = [run for run in facts.open if run.job == job.name]
        self._working = next((run for run in self._open if run.state == State.RUNNING), None)
        self._newest = next((run for run in facts.newest if run.job == job.name), None)

    def tell(self, calendar: Calendar) -> None:
        self._definition()
        self._set(catalogue.JOB_NEXT, self._next(calendar).timestamp())
        self._state()
        self._history()
        self._rows()

    def _set(self, metric: Metric, value: float, *labels: str) -> None:
        self._samples.set(metric, value, self._job.name, *labels)

    def _definition(self) -> None:
        self._set(catalogue.JOB_EXPECTED, self._job.schedule.expected.total_seconds())
        self._set(catalogue.JOB_PERIOD, period(self._job.schedule.cron).total_seconds())

    def _state(self) -> None:
        self._set(catalogue.JOB_RUNNING, self._working is not None)
        self._set(catalogue.JOB_PAUSED, self._paused)
        self._set(catalogue.JOB_LATE, self._late())

    @property
    def _paused(self) -> bool:
        return not self._facts.paused.isdisjoint({EVERY_JOB, self._job.name})

    def _next(self, calendar: Calendar) -> datetime:
        """Of runs that wait the earliest, otherwise the calendar's."""
        waiting = [max(run.due_at, run.retry_at or run.due_at) for run in self._unbegun()]
        return min([*waiting, self._next_slot(calendar)])

    def _next_slot(self, calendar: Calendar) -> datetime:
        slot = slot_from(self._job.schedule.cron, self._now)
        planned = placed(self._job.schedule, slot, slot, calendar)
        return planned.starts_at or planned.into or slot

    def _unbegun(self) -> Iterable[JobRun]:
        return [run for run in self._open if run.started_at is None]

    def _late(self) -> float:
        after = self._job.schedule.after
        grace = after.within if after else timedelta(0)  # it may wait so long for another job
        due = min((run.due_at + (timedelta(0) if run.forced else grace) for run in self._unbegun()), default=self._now)
        return 0.0 if self._paused else max((self._now - due).total_seconds(), 0.0)

    def _history(self) -> None:
        for state in ENDS:
            self._set(catalogue.JOB_WEEK, self._facts.week.get((self._job.name, state), 0), state)
        if self._newest is not None:
            self._samples.one_hot(catalogue.JOB_LAST_RESULT, WORKED, self._newest.state, self._job.name)
        if self._job.name in self._facts.succeeded:
            self._set(catalogue.JOB_LAST_SUCCESS, self._facts.succeeded[self._job.name].timestamp())
        if self._job.name in self._facts.since:
            self._set(catalogue.JOB_SINCE, self._facts.since[self._job.name].timestamp())

    def _rows(self) -> None:
        newest, working = self._newest, self._working
        if newest is not None:
            for name in ROWS:
                self._set(catalogue.JOB_ROWS, getattr(newest, f"rows_{name}"), name)
        if working is not None and working.started_at is not None:
            self._set(catalogue.JOB_DURATION, max((self._now - working.started_at).total_seconds(), 0.0))
            if working.rows_expected:
                self._set(catalogue.JOB_PROGRESS, min(working.rows_read / working.rows_expected, 1.0))
        elif newest is not None and newest.seconds is not None:
            self._set(catalogue.JOB_DURATION, newest.seconds)
        expected = next((run.rows_expected for run in (working, newest) if run and run.rows_expected is not None), None)
        if expected is not None:
            self._set(catalogue.JOB_VOLUME, expected)
