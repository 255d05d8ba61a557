"""The composition root: which parts there are and how they are tied together."""

from __future__ import annotations

import asyncio
import gc
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import faust
import mode
from faust.types import TP

from app.batches import Batches
from app.cluster import DatabaseCluster
from app.configuration import faust_configuration
from app.desk import OperatorsDesk
from app.health import Health
from app.housekeeping import Housekeeping
from app.kinds import Surroundings, apply_of, parts_of
from app.last_resort import end_anyway
from app.notifying import Notifying
from app.own_figures import OwnFigures
from app.probes import mount_probes
from app.questions import Questions
from app.records import KeptRecords
from app.reporter import Reporter
from app.sampling import Sampling
from app.sign_in import sessions_of
from app.upstream import UpstreamWatch
from app.worker_looks import Background, WorkerLooks
from app.worker_view import OwnState
from flows.model import CapturedFlow, Flow
from flows.registry import FLOWS
from flows.tables import Database
from metrics.exposition import Exposition
from metrics.worker import FlowEvents
from settings import Settings
from sinks import worker_status
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from streams.batches import BatchScheduler
from streams.captured_source import CapturedSource
from streams.coordinator import Coordinator
from streams.inbox import Budget
from streams.lane import LaneServices
from streams.log_reader import LogReader
from streams.outage import Circuit, is_outage
from streams.outcomes import Nobody
from streams.share_breaker import ShareBreaker
from streams.status import StatusBook
from streams.transport import LedgerConsumer, LedgerTransport
from streams.unit_of_work import UnitOfWork
from views.site import mount

log = logging.getLogger(__name__)

#: Chunks that one worker applies at the same time: more would only hold memory, the interpreter decodes one at a time.
CHUNKS_AT_A_TIME = 2
#: Chunks make many short-lived objects and no cycles; Python's default of 700 would look at them all the time.
GC_ALLOCATIONS = 50_000
SILENT_HOURS = 24


def create_app(settings: Settings) -> faust.App:
    """A Faust app with one agent per topic. Connects to nothing until the worker starts."""
    topics = frozenset(topic for flow in FLOWS for topic in flow.topics)
    scheduler: type[BatchScheduler] = type("Scheduler", (BatchScheduler,), {})
    app = faust.App(settings.worker.application_id, **faust_configuration(settings), ConsumerScheduler=scheduler)
    consumer_type = type("SourceConsumer", (LedgerConsumer,), {"source_topics": topics})
    app.transport = type("SourceTransport", (LedgerTransport,), {"Consumer": consumer_type})(app.conf.broker_consumer, app)
    Composition(app, settings)
    scheduler.sources = topics
    scheduler.changelogs = frozenset(table.changelog_topic_name for table in app.tables.values())
    scheduler.is_read = staticmethod(lambda tp: cast("LedgerConsumer", app.consumer).is_read(tp))
    return app


class Composition:
    """Everything of one app, tied together."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._started_at = datetime.now(UTC)
        self._pools = {database: Pool(settings.databases[database.value]) for database in Database}
        client = settings.kafka.client_options()
        self._control_reader, self._status_reader, self._job_reader = LogReader(client), LogReader(client), LogReader(client)
        self._slots = asyncio.Semaphore(CHUNKS_AT_A_TIME)
        self._events = {flow.name: FlowEvents() for flow in FLOWS}
        self._budget = Budget(settings.worker.max_waiting_bytes)
        self._cipher = PayloadCipher(settings.payload_keys)
        self._coordinators = [self._flow(flow) for flow in FLOWS]
        self._batches = Batches(app, settings, self._pools, self._job_reader)
        self._upstream = UpstreamWatch(app, self._pools, settings.worker.name)
        Sampling(app, self._pools[Database.CITIZEN])
        Housekeeping(app, self._pools, settings.retention)
        self.status = StatusBook(self._coordinators, self._status_reader)
        app.on_partitions_assigned.connect(cast("Any", self._assigned))
        app.on_partitions_revoked.connect(cast("Any", self._revoked))
        app.on_rebalance_complete.connect(cast("Any", self._recovered))
        self._reporter = Reporter(self)
        self._questions, self._desk = Questions(settings), OperatorsDesk(settings)
        self._looks = WorkerLooks(settings, self._files)
        self._notifying = Notifying(settings, self._looks.sources)
        databases = self._looks.databases if settings.worker.metrics else {}
        health = Health(self.status, self._coordinators, databases)
        own = OwnFigures(self._events, self.status, self._pools, self._started_at.timestamp())
        mount_probes(cast("Any", app.web).web_app, Exposition([*self._looks.sources, *own.sources, health.samples]), health)
        mount(
            cast("Any", app.web).web_app,
            worker=OwnState(settings.worker.name, self.status),
            cluster=DatabaseCluster(self._questions),
            records=KeptRecords(settings, self._questions, self._pools),
            desk=self._desk,
            sessions=sessions_of(settings),
            allowed_hosts=settings.worker.web_hosts,
        )

    # -- flows ------------------------------------------------------------------------------------------------------

    def _flow(self, flow: Flow) -> Coordinator:
        worker = self._settings.worker
        target = self._pools[flow.target.table.database]
        breaker = ShareBreaker(worker.dead_letter_window, worker.dead_letter_share)
        around = Surroundings(self._app, worker, self._pools, self._cipher, self._control_reader, breaker)
        applier, upkeep = parts_of(flow, around)
        work = UnitOfWork(flow, applier, target, self._cipher, breaker)
        services = LaneServices(
            flow=flow,
            settings=worker,
            work=work,
            apply=apply_of(work, applier),
            upkeep=upkeep,
            source=self._source_of(flow),
            target=target,
            circuit=Circuit(target),
            log_reader=self._control_reader,
            slots=self._slots,
            budget=self._budget,
            crash=self._crash,
            generation=lambda: self._app.consumer_generation_id,
            listener=self._events[flow.name] if worker.metrics else Nobody(),
        )
        coordinator = Coordinator(services, lambda: cast("LedgerConsumer", self._app.consumer))
        for topic in flow.topics:
            self._agent(flow, topic, coordinator)
        return coordinator

    def _source_of(self, flow: Flow) -> CapturedSource | None:
        if not isinstance(flow, CapturedFlow):
            return None
        database = flow.source.table.database
        return CapturedSource(database, self._pools[database])

    def _agent(self, flow: Flow, topic: str, coordinator: Coordinator) -> None:
        source = self._app.topic(
            topic,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            partitions=flow.partitions,
            allow_empty=True,
            acks=False,
        )

        async def consume(stream: Any) -> None:
            async for event in stream.noack().events():
                await coordinator.deliver(event)

        self._app.agent(source, name=f"{flow.name}:{topic}")(consume)

    # -- rebalance --------------------------------------------------------------------------------------------------

    async def _assigned(self, app: Any, assigned: set[TP], **_: Any) -> None:
        if not self._reporter.started:
            # Faust would start it after recovery, and nobody would see a worker that is recovering.
            await app.add_runtime_dependency(self._reporter)
        for coordinator in self._coordinators:
            await coordinator.assigned(assigned)

    async def _revoked(self, *_: Any, **__: Any) -> None:
        await asyncio.gather(*[coordinator.release() for coordinator in self._coordinators])

    async def _recovered(self, *_: Any, **__: Any) -> None:
        for coordinator in self._coordinators:
            coordinator.recovered()

    async def _crash(self, error: BaseException) -> None:
        end_anyway()
        await self._app.crash(error)

    # -- running ----------------------------------------------------------------------------------------------------

    async def start(self, service: mode.Service) -> None:
        """Called when the worker starts. What exists now stays: the collector need not look at it again and again."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_ALLOCATIONS, 20, 100)
        for warning in self._settings.warnings():
            log.warning("%s", warning)
        for coordinator in self._coordinators:
            await service.add_runtime_dependency(coordinator)
        if self._settings.worker.metrics:
            await service.add_runtime_dependency(Background(self._looks.run))
            if self._settings.notifier.url:
                await service.add_runtime_dependency(Background(self._notifying.run))

    async def give_back(self) -> None:
        """Called when the worker stops."""
        await self._batches.stop()

    async def report(self) -> None:
        """Tell the database what we do; an outage is no reason to stop."""
        try:
            state = await self.status.state()
            async with self._pools[Database.CITIZEN].session() as session:
                worker = self._settings.worker
                await worker_status.report(session, worker.name, self._started_at, worker.web_url, state)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("status not reported: %s", type(error).__name__)

    async def forget_silent(self) -> None:
        """Take workers off the list that are gone for good; in an outage the next look does it."""
        try:
            async with self._pools[Database.CITIZEN].session() as session:
                await worker_status.forget_silent(session, SILENT_HOURS)
        except Exception as error:
            if not is_outage(error):
                raise

    def _files(self) -> dict[str, Path]:
        """Table → folder of its partitions."""
        return {name: Path(cast("Any", table.data).path) for name, table in self._app.tables.items()}

    async def stop(self) -> None:
        """Called when the worker has stopped."""
        await self._control_reader.stop()
        await self._status_reader.stop()
        self._questions.close()
        await self._looks.close()
        self._desk.close()
        await self._job_reader.stop()
        await self._notifying.close()
        for pool in self._pools.values():
            await pool.close()
