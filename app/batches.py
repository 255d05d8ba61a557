"""The batch jobs of a worker: which there are, and Faust's timers, which only propose and look. The ledger decides."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Final, cast

import faust

from app.backups import event_path
from app.batch_reconciliation import BatchReconciliation
from app.job_log import JobLog
from app.reconciliation import FlowReconciliation, KafkaAccess
from batch_timers.aggregate import Aggregate
from batch_timers.backfill import Backfill
from batch_timers.backup import Backup
from batch_timers.failures import described, is_outage
from batch_timers.interface import BatchJob
from batch_timers.jobs import DAILY, JOBS, WEEKLY, backfill_schedule
from batch_timers.new_rows import NewRows
from batch_timers.refresh import Refresh
from batch_timers.runner import Pools, Runner
from flows.batch_model import AggregateFlow, BatchFlow, NewRowsFlow, RefreshFlow
from flows.batch_registry import ALL_FLOWS, BATCH_FLOWS
from flows.definition import Definition
from flows.model import CapturedFlow, Flow
from flows.registry import FLOWS
from flows.schedule import Schedule
from flows.tables import Database
from settings import Batch, Settings
from settings import Database as DatabaseSettings
from sinks.copying import CopyPool
from sinks.pool import Pool
from streams.log_reader import LogReader
from streams.retained import RetainedRows

log = logging.getLogger(__name__)

_KINDS: Final[Mapping[type[BatchFlow], Callable[[Any], BatchJob]]] = {
    RefreshFlow: Refresh,
    NewRowsFlow: NewRows,
    AggregateFlow: Aggregate,
}


class Batches:
    """One runner per target database. ``pools`` are the worker's own, which serve the looks; runs have pools of their own."""

    def __init__(self, app: faust.App, settings: Settings, pools: Mapping[Database, Pool], log_reader: LogReader) -> None:
        self._settings = settings
        producer = lambda: cast("Any", app.producer)._producer  # noqa: SLF001, E731 - Faust sends one by one
        kafka = KafkaAccess(JobLog(log_reader, producer), RetainedRows(log_reader))
        workers = pools[Database.CITIZEN]  # where workers report
        self._jobs = [*_jobs(workers, settings.batch), *_reconciliations(kafka, settings.batch)]
        self._runners = [self._runner(database, pool) for database, pool in pools.items()]
        app.crontab("* * * * *")(self._propose)
        app.timer(settings.batch.look_interval)(self._look)

    def _runner(self, target: Database, pool: Pool) -> Runner:
        made = {job.schedule.job: (job, flow) for flow, job in self._jobs if flow.target.table.database is target}

        def pools(job: BatchJob) -> Pools:
            source = _source_of(made[job.schedule.job][1])
            return Pools(CopyPool(self._of_a_run(source)), CopyPool(self._of_a_run(target)))

        return Runner([job for job, _ in made.values()], pool, pools, self._settings.batch, self._settings.worker.name)

    def _of_a_run(self, name: Database) -> DatabaseSettings:
        """A database as a run uses it: few connections, long statements."""
        database = self._settings.databases[name.value]
        batch = self._settings.batch
        return database.model_copy(update={"pool_size": batch.pool_size, "statement_timeout": batch.statement_timeout})

    async def _propose(self) -> None:
        for runner in self._runners:
            await _unless_away(runner.propose)

    async def _look(self) -> None:
        for runner in self._runners:
            await _unless_away(runner.look)

    async def stop(self) -> None:
        """Give the runs back."""
        for runner in self._runners:
            await runner.stop()


def _source_of(flow: Definition) -> Database:
    """Where rows come from; of a callback flow they are nowhere but in its target, and in a topic."""
    return flow.source.table.database if isinstance(flow, CapturedFlow | BatchFlow) else flow.target.table.database


def _reconciliations(kafka: KafkaAccess, settings: Batch) -> Iterator[tuple[Definition, BatchJob]]:
    for job in JOBS:
        if job.group in (WEEKLY, DAILY):
            flow = next(flow for flow in ALL_FLOWS if flow.name == job.flow)
            yield flow, _reconciliation(job.schedule, flow, kafka, settings)


def _reconciliation(schedule: Schedule, flow: Definition, kafka: KafkaAccess, settings: Batch) -> BatchJob:
    if isinstance(flow, BatchFlow):
        return BatchReconciliation(schedule, flow, _KINDS[type(flow)](flow))
    assert isinstance(flow, Flow), f"{flow.name} is a flow of events, or one of batch jobs"
    return FlowReconciliation(schedule, flow, kafka, settings.range_rows)


def _jobs(workers: Pool, settings: Batch) -> Iterator[tuple[Definition, BatchJob]]:
    for batch in BATCH_FLOWS:
        yield batch, _KINDS[type(batch)](batch)
    for flow in (each for each in FLOWS if isinstance(each, CapturedFlow)):
        for schedule in flow.schedules:
            yield flow, Backup(schedule, event_path(flow), workers, settings.events_wait)
        if (asked := backfill_schedule(flow)) is not None:
            yield flow, Backfill(asked, event_path(flow), workers, settings.events_wait)


async def _unless_away(action: Callable[[], Awaitable[object]]) -> None:
    """An error in a timer would end the worker, and with it the event flows; the next minute tries again."""
    try:
        await action()
    except Exception as error:
        if is_outage(error):
            log.warning("batch jobs wait: %s", described(error))
        else:
            log.exception("batch jobs: a defect of ours")
