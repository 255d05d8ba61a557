"""The page of the batch jobs: the last runs of each, the runs to come, and how far a run under way is."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from sinks.job_ledger import EVERY_JOB
from views.gathering import Gathering
from views.model import Silence
from views.page import Wish
from views.records import KnownJob, PlannedRun
from views.sources import Sources

if TYPE_CHECKING:
    from sinks.operations.jobs import Control, JobRun

RUNS: Final = 30
#: Slots to come, as many as are shown of a job.
COMING: Final = 3


@dataclass(frozen=True)
class RunLine:
    """A line of the job ledger. Rates in rows per second; ``share`` of the expected rows, 0 to 1, of a run under way."""

    run_id: int
    scheduled_for: datetime
    state: str
    open: bool
    reason: str | None
    requested_by: str | None
    owner: str | None
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    rows_read: int
    rows_written: int
    rows_unchanged: int
    rows_skipped: int
    rows_failed: int
    rows_missed: int
    rows_expected: int | None
    rows_per_second: float | None
    seconds_left: float | None
    share: float | None


@dataclass(frozen=True)
class JobLine:
    """A job. ``paused_by`` and ``paused_why`` while it is paused, alone or with all; ``expected_seconds`` of a run."""

    job: str
    flow: str | None
    database: str | None
    cron: str
    lane: str
    expected_seconds: float
    paused: bool
    paused_by: str | None
    paused_why: str | None
    runs: tuple[RunLine, ...]
    coming: tuple[PlannedRun, ...]

    @property
    def under_way(self) -> RunLine | None:
        """The run that is at work or waits for its turn."""
        return next((run for run in self.runs if run.open and run.started_at is not None), None)


@dataclass(frozen=True)
class JobsView:
    """All jobs, in the calendar's order. ``all_paused``: nothing starts until operators lift it."""

    at: datetime
    silences: tuple[Silence, ...]
    all_paused: bool
    jobs: tuple[JobLine, ...]


class JobsPage:
    """Looks at all jobs."""

    def __init__(self, sources: Sources) -> None:
        self._records = sources.records
        self._clock = sources.clock

    async def look(self, _: Wish) -> JobsView:
        """The newest runs, what is paused, and the calendar."""
        found = Gathering()
        runs, controls, coming = await asyncio.gather(
            found.of_each("runs", partial(self._records.runs, each=RUNS)),
            found.of_each("pauses", self._records.controls),
            found.ask("runs to come", self._records.planned(), ()),
        )
        paused = {name: control for those in controls.values() for name, control in those.items() if control.paused}
        by_job: defaultdict[str, list[JobRun]] = defaultdict(list)
        for run in chain(*runs.values()):
            by_job[run.job].append(run)
        lines = tuple(job_line(job, by_job[job.schedule.job], paused, coming) for job in self._records.jobs())
        return JobsView(self._clock(), found.silences, EVERY_JOB in paused, lines)


def job_line(job: KnownJob, runs: Sequence[JobRun], pauses: Mapping[str, Control], coming: Sequence[PlannedRun]) -> JobLine:
    """Sum up a job; ``runs`` newest first, ``pauses`` by job, :data:`EVERY_JOB` for all."""
    schedule = job.schedule
    paused = pauses.get(schedule.job) or pauses.get(EVERY_JOB)
    return JobLine(
        job=schedule.job,
        flow=job.flow,
        database=job.database.value if job.database else None,
        cron=schedule.cron,
        lane=schedule.lane,
        expected_seconds=schedule.expected.total_seconds(),
        paused=paused is not None,
        paused_by=paused.changed_by if paused else None,
        paused_why=paused.reason if paused else None,
        runs=tuple(map(run_line, runs)),
        coming=tuple([each for each in coming if each.job == schedule.job][:COMING]),
    )


def run_line(run: JobRun) -> RunLine:
    """Sum up a run."""
    share = min(run.rows_read / run.rows_expected, 1.0) if run.open and run.rows_expected else None
    return RunLine(
        run_id=run.run_id,
        scheduled_for=run.scheduled_for,
        state=run.state,
        open=run.open,
        reason=run.reason,
        requested_by=run.requested_by,
        owner=run.owner,
        started_at=run.started_at,
        ended_at=run.ended_at,
        seconds=run.seconds,
        rows_read=run.rows_read,
        rows_written=run.rows_written,
        rows_unchanged=run.rows_unchanged,
        rows_skipped=run.rows_skipped,
        rows_failed=run.rows_failed,
        rows_missed=run.rows_missed,
        rows_expected=run.rows_expected,
        rows_per_second=run.rows_per_second,
        seconds_left=run.seconds_left,
        share=share,
    )
