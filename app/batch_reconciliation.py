"""The reconciliation of flows that batch jobs alone carry: their own job over the whole source, and what it had to write.

The job's statements touch no row that is as it should be. So what they write had differed, and is repaired by that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from app.reconciliation import kept_record
from batch_timers.interface import Around, BatchJob, Chunk
from batch_timers.jobs import group_of
from flows.batch_model import AggregateFlow, BatchFlow
from flows.schedule import Schedule
from reconcile import history
from reconcile.history import Record, State
from reconcile.progress import Progress
from reconcile.ranges import EVERYTHING
from reconcile.session import run_of_slot
from sinks.aggregate_rows import whole_days_statement
from sinks.job_ledger import Counts
from sinks.pool import Session


@dataclass(frozen=True)
class _Compared:
    """A chunk of the job, and what is kept of it."""

    record: Record
    chunk: Chunk

    @property
    def cursor(self) -> Any:
        """The job's own."""
        return self.chunk.cursor

    async def write(self, session: Session) -> Counts:
        """Both in the transaction that is open."""
        counts = await self.chunk.write(session)
        await _keep(session, self.record, lambda progress: _count(progress, counts))
        return counts


@dataclass(frozen=True)
class _Begun:
    """Before the first chunk of the job: the run is seen."""

    record: Record
    cursor: Any = None

    async def write(self, session: Session) -> Counts:
        """Nothing is compared yet."""
        await history.save(session, self.record)
        return Counts()


@dataclass(frozen=True)
class _Done:
    """Behind the last chunk of the job."""

    record: Record
    cursor: Any

    async def write(self, session: Session) -> Counts:
        """All is compared."""
        await _keep(session, self.record, _finish)
        return Counts()


class BatchReconciliation:
    """See :class:`~batch_timers.interface.BatchJob`; ``job`` is the flow's own."""

    def __init__(self, schedule: Schedule, flow: BatchFlow, job: BatchJob) -> None:
        self.schedule = schedule
        self.flow = flow
        self._job = job

    async def expected(self, around: Around) -> int | None:  # noqa: ARG002 as the protocol has it
        """The job knows of a usual run only."""
        return None

    async def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """Those of the job; a resumed one has its cursor."""
        run = run_of_slot(group_of(self.schedule.job), around.scheduled_for)
        record = Record(run, self.flow.name, True, EVERYTHING, State.RUNNING, Progress())  # noqa: FBT003
        if around.cursor is None:
            yield _Begun(record)
        whole = replace(around, parameters=await self._parameters(around))
        cursor = around.cursor
        async with aclosing(self._job.chunks(whole)) as chunks:
            async for chunk in chunks:
                yield _Compared(record, chunk)
                cursor = chunk.cursor
        yield _Done(record, cursor)

    async def _parameters(self, around: Around) -> dict[str, Any]:
        """Of an aggregate the days whose rows are all there: behind the day of the oldest row."""
        if not isinstance(self.flow, AggregateFlow):
            return {"all": True}
        async with around.source.session() as session:
            days = await session.rows(whole_days_statement(self.flow))
        return {"days": [day for (day,) in days] or ["-infinity"]}


async def _keep(session: Session, record: Record, change: Callable[[Progress], None]) -> None:
    standing = await kept_record(session, record.run, record.flow) or record
    change(standing.progress)
    state = State.DONE if standing.progress.finished else State.RUNNING
    await history.save(session, replace(standing, state=state))


def _count(progress: Progress, counts: Counts) -> None:
    progress.expected += counts.read
    progress.standing += counts.read
    progress.different += counts.written
    progress.repaired += counts.written


def _finish(progress: Progress) -> None:
    progress.finished = True
