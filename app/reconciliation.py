"""The reconciliation as a batch job of each flow: the steps of the command, each kept in the transaction of a chunk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from batch_timers.failures import Hindered, NotNow
from batch_timers.interface import Around, Chunk
from batch_timers.jobs import DAILY, group_of
from flows.model import CapturedFlow, Flow
from flows.schedule import Schedule
from reconcile import history
from reconcile.broker import Broker
from reconcile.canonical import agreed_hashing
from reconcile.history import Record
from reconcile.level import NotLevel
from reconcile.light import horizon_of
from reconcile.progress import Progress
from reconcile.retained import Retained
from reconcile.run import Request
from reconcile.session import OBSTACLES, beginning, described, estimated_rows, run_of_slot, steps, undecided
from reconcile.surroundings import Surroundings
from sinks.job_ledger import Counts
from sinks.pool import Session


@dataclass(frozen=True)
class KafkaAccess:
    """What reconciliation needs of Kafka."""

    broker: Broker
    retained: Retained


@dataclass(frozen=True)
class _Step:
    """A step that was made; ``before``: what was known before it."""

    before: Progress
    record: Record

    @property
    def cursor(self) -> str:
        """Where the progress is kept."""
        return self.record.run

    async def write(self, session: Session) -> Counts:
        """Keep it under the run's lock: who lost the run keeps nothing."""
        await history.save(session, self.record)
        return counts_between(self.before, self.record.progress)


def counts_between(before: Progress, after: Progress) -> Counts:
    """What a step came to. A row that differs and was not repaired failed; what nobody may call different is skipped."""
    repaired, differing = after.repaired - before.repaired, after.differing - before.differing
    listed = sum(getattr(after, name) - getattr(before, name) for name in ("quarantined", "waiting", "edge", "moving"))
    compared = max(after.expected - before.expected, after.standing - before.standing)
    equal = max(compared - differing - listed, 0)
    return Counts(written=repaired, unchanged=equal, skipped=listed, failed=differing - repaired)


async def kept_record(session: Session, run: str, flow: str) -> Record | None:
    """What is kept of a flow in a run."""
    return next((each for each in await history.find(session, run) if each.flow == flow), None)


class FlowReconciliation:
    """See :class:`~batch_timers.interface.BatchJob`. The daily one is light."""

    def __init__(self, schedule: Schedule, flow: Flow, kafka: KafkaAccess, rows_at_a_time: int) -> None:
        self.schedule = schedule
        self.flow = flow
        self._kafka = kafka
        self._request = Request(repairs=True, rows_at_a_time=rows_at_a_time, light=group_of(schedule.job) == DAILY)

    async def expected(self, around: Around) -> int | None:
        """As the source's statistics have it."""
        return await estimated_rows(around.source, self.flow)

    async def chunks(self, around: Around) -> AsyncGenerator[Chunk, None]:
        """The steps from the one that was kept last; raises ``Hindered`` where nothing can be said."""
        record = await self._record(around)
        if around.cursor is None:
            yield _Step(record.progress, record)
        surroundings = await self._surroundings(around)
        try:
            async with aclosing(steps(record, self.flow, surroundings, self._request)) as made:
                async for after in made:
                    yield _Step(record.progress, after)
                    record = after
        except OBSTACLES as error:
            await self._keep_undecided(around, record, error)
            if isinstance(error, KafkaError):
                raise NotNow(described(error)) from error
            if isinstance(error, NotLevel):
                raise Hindered(f"nothing can be said of {self.flow.name}: {error}") from error
            raise

    async def _record(self, around: Around) -> Record:
        run = run_of_slot(group_of(self.schedule.job), around.scheduled_for)
        if around.cursor is not None:
            async with around.target.session() as session:
                if kept := await kept_record(session, run, self.flow.name):
                    return kept
        horizon = await horizon_of(around.source) if isinstance(self.flow, CapturedFlow) else None
        return beginning(run, self.flow, self._request, horizon)

    async def _surroundings(self, around: Around) -> Surroundings:
        hashing = await agreed_hashing(around.source, around.target)
        kafka = self._kafka
        return Surroundings(around.source, around.target, kafka.broker, hashing, kafka.retained, around.begin)

    async def _keep_undecided(self, around: Around, record: Record, error: Exception) -> None:
        async with around.target.session() as session:
            await around.begin(session)
            await history.save(session, undecided(record, error))
            await session.run("COMMIT")
