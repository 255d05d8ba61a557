"""The composition root: which parts there are and how they are tied together."""

from __future__ import annotations

import asyncio
import gc
import logging
from datetime import UTC, datetime
from typing import Any, cast

import faust
import mode
from faust.types import TP

from app.allocator import give_back_free_memory
from app.cluster import DatabaseCluster
from app.configuration import faust_configuration
from app.worker_view import OwnState
from flows.append_model import AppendFlow
from flows.match_model import MatchFlow
from flows.model import Flow, MirrorFlow, RankedFlow
from flows.registry import FLOWS, flows_into
from flows.summary_model import SummaryFlow
from settings import Settings
from sinks import worker_status
from sinks.parked import ParkedTable
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from sinks.source_identity import FIRST_EPOCH
from streams.append import AppendApplier, AppendWriter
from streams.append_decoding import AppendDecoder
from streams.append_rebuild import AppendRebuilder
from streams.append_upkeep import AppendUpkeep
from streams.applier import Applier
from streams.batches import BatchScheduler
from streams.coordinator import Coordinator
from streams.expiry import Expiry
from streams.inbox import Budget
from streams.lane import LaneServices
from streams.log_reader import LogReader
from streams.match import MatchApplier
from streams.match_decoding import MatchDecoder
from streams.match_rebuild import MatchRebuilder
from streams.match_writer import MatchWriter
from streams.mirror import MirrorApplier, MirrorWriter
from streams.mirror_decoding import MirrorDecoder
from streams.mirror_rebuild import MirrorRebuilder
from streams.mirror_upkeep import MirrorUpkeep
from streams.outage import Circuit, is_outage
from streams.patience import Patience
from streams.ranked import RankedApplier
from streams.ranked_decoding import RankedDecoder
from streams.ranked_upkeep import RankedUpkeep
from streams.ranked_writer import RankedWriter
from streams.rebuild import Rebuilder
from streams.release import Release
from streams.share_breaker import ShareBreaker
from streams.status import StatusBook
from streams.summary import SummaryWriter
from streams.summary_applier import SummaryApplier
from streams.summary_decoding import SummaryDecoder
from streams.summary_moves import Moves
from streams.summary_rebuild import SummaryRebuilder
from streams.summary_upkeep import SummaryUpkeep
from streams.transport import LedgerConsumer, LedgerTransport
from streams.unit_of_work import UnitOfWork
from streams.upkeep import Upkeep
from tables.candidates import CandidateTable
from views.site import mount

log = logging.getLogger(__name__)

#: Chunks that one worker applies at the same time: more would only hold memory, the interpreter decodes one at a time.
CHUNKS_AT_A_TIME = 2
STATUS_SECONDS = 1.0
#: Between two looks for workers that have been silent for :data:`SILENT_HOURS`.
FORGET_SECONDS = 300.0
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
    composition = Composition(app, settings)
    scheduler.batched = topics | composition.changelogs
    return app


class Composition:
    """Everything of one app, tied together."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._started_at = datetime.now(UTC)
        self._pools = {"warehouse": Pool(settings.warehouse), "citizen": Pool(settings.citizen)}
        client = settings.kafka.client_options()
        self._control_reader, self._status_reader = LogReader(client), LogReader(client)
        self._slots = asyncio.Semaphore(CHUNKS_AT_A_TIME)
        self._budget = Budget(settings.worker.max_waiting_bytes)
        self._cipher = PayloadCipher(settings.payload_keys)
        self.changelogs: frozenset[str] = frozenset()
        self._coordinators = [self._flow(flow) for flow in FLOWS]
        self.status = StatusBook(self._coordinators, self._status_reader)
        app.on_partitions_assigned.connect(cast("Any", self._assigned))
        app.on_partitions_revoked.connect(cast("Any", self._revoked))
        app.on_rebalance_complete.connect(cast("Any", self._recovered))
        self._reporter = Reporter(self)
        self._cluster = DatabaseCluster(settings)
        mount(
            cast("Any", app.web).web_app,
            worker=OwnState(settings.worker.name, self.status),
            cluster=self._cluster,
            allowed_hosts=settings.worker.web_hosts,
        )

    # -- flows ------------------------------------------------------------------------------------------------------

    def _flow(self, flow: Flow) -> Coordinator:
        worker = self._settings.worker
        target = self._pools[flow.target.table.database.value]
        source = self._pools[flow.source.table.database.value]
        breaker = ShareBreaker(worker.dead_letter_window, worker.dead_letter_share)
        applier, upkeep = self._kind(flow, source, target)
        services = LaneServices(
            flow=flow,
            settings=worker,
            work=UnitOfWork(flow, applier, target, self._cipher, breaker),
            upkeep=upkeep,
            source=source,
            target=target,
            circuit=Circuit(target),
            log_reader=self._control_reader,
            slots=self._slots,
            budget=self._budget,
            crash=self._crash,
            generation=lambda: self._app.consumer_generation_id,
        )
        coordinator = Coordinator(services, lambda: cast("LedgerConsumer", self._app.consumer))
        for topic in flow.topics:
            self._agent(flow, topic, coordinator)
        return coordinator

    def _kind(self, flow: Flow, source: Pool, target: Pool) -> tuple[Applier, Upkeep]:
        """What differs between the kinds of flow."""
        if isinstance(flow, RankedFlow):
            return self._ranked(flow, source, target)
        if isinstance(flow, MirrorFlow):
            return self._mirror(flow, source, target)
        if isinstance(flow, AppendFlow):
            return self._append(flow, source, target)
        if isinstance(flow, MatchFlow):
            return self._match(flow, source, target)
        if isinstance(flow, SummaryFlow):
            return self._summary(flow, source, target)
        raise TypeError(f"flow {flow.name}: nobody applies a {type(flow).__name__}")

    def _ranked(self, flow: RankedFlow, source: Pool, target: Pool) -> tuple[RankedApplier, RankedUpkeep]:
        table = CandidateTable.declare(self._app, flow, cache_bytes=self._settings.worker.block_cache_bytes)
        self.changelogs |= {table.changelog_topic_name}
        decoder, writer = RankedDecoder(flow, epoch=FIRST_EPOCH), RankedWriter(flow, table)
        rebuilder = Rebuilder(flow, table, source, target, writer, decoder)
        upkeep = RankedUpkeep(table, Expiry(flow, table, target, writer), rebuilder, self._control_reader)
        return RankedApplier(table, writer, decoder), upkeep

    def _mirror(self, flow: MirrorFlow, source: Pool, target: Pool) -> tuple[MirrorApplier, MirrorUpkeep]:
        followers = [other for other in FLOWS if isinstance(other, SummaryFlow) and other.through == flow]
        decoder, writer = MirrorDecoder(flow, epoch=FIRST_EPOCH), MirrorWriter(flow, followers)
        rebuilder = MirrorRebuilder(flow, source, target, writer, decoder)
        return MirrorApplier(writer, decoder), MirrorUpkeep(rebuilder)

    def _append(self, flow: AppendFlow, source: Pool, target: Pool) -> tuple[AppendApplier, AppendUpkeep]:
        deadline = self._settings.worker.parking_deadline
        parked = ParkedTable(flow.name, flow.reference, flow.reference_source.type, self._cipher)
        applier = AppendApplier(flow, AppendWriter(flow), parked, AppendDecoder(flow, epoch=FIRST_EPOCH), deadline)
        rebuilder = AppendRebuilder(applier, source, target)
        return applier, AppendUpkeep(rebuilder, Release(applier, target, self._cipher), Patience.within(deadline))

    def _match(self, flow: MatchFlow, source: Pool, target: Pool) -> tuple[MatchApplier, MirrorUpkeep]:
        decoder, writer = MatchDecoder(flow, epoch=FIRST_EPOCH), MatchWriter(flow, flows_into(flow.target.table.database))
        rebuilder = MatchRebuilder(flow, source, target, writer, decoder)
        return MatchApplier(writer, decoder), MirrorUpkeep(rebuilder)

    def _summary(self, flow: SummaryFlow, source: Pool, target: Pool) -> tuple[SummaryApplier, SummaryUpkeep]:
        decoder, writer = SummaryDecoder(flow, epoch=FIRST_EPOCH), SummaryWriter(flow)
        deadline = self._settings.worker.parking_deadline
        parked = ParkedTable(flow.name, flow.reference, flow.reference_source.type, self._cipher)
        applier = SummaryApplier(flow, writer, parked, decoder, deadline)
        release, moves = Release(applier, target, self._cipher), Moves(flow, target, writer)
        rebuilder = SummaryRebuilder(flow, source, target, writer, decoder)
        return applier, SummaryUpkeep(rebuilder, release, moves, Patience.within(deadline))

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

    async def report(self) -> None:
        """Tell the database what we do; an outage is no reason to stop."""
        try:
            state = await self.status.state()
            async with self._pools["citizen"].session() as session:
                worker = self._settings.worker
                await worker_status.report(session, worker.name, self._started_at, worker.web_url, state)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("status not reported: %s", type(error).__name__)

    async def forget_silent(self) -> None:
        """Take workers off the list that are gone for good; in an outage the next look does it."""
        try:
            async with self._pools["citizen"].session() as session:
                await worker_status.forget_silent(session, SILENT_HOURS)
        except Exception as error:
            if not is_outage(error):
                raise

    async def stop(self) -> None:
        """Called when the worker has stopped."""
        await self._control_reader.stop()
        await self._status_reader.stop()
        self._cluster.close()
        for pool in self._pools.values():
            await pool.close()


class Reporter(mode.Service):
    """Starts and stops what belongs to the composition, and reports while it runs."""

    def __init__(self, composition: Composition) -> None:
        super().__init__()
        self._composition = composition

    async def on_start(self) -> None:
        """Start the coordinators."""
        await self._composition.start(self)

    @mode.Service.task
    async def _report(self) -> None:
        while not self.should_stop:
            await self._composition.report()
            give_back_free_memory()
            await self.sleep(STATUS_SECONDS)

    @mode.Service.task
    async def _forget(self) -> None:
        while not self.should_stop:
            await self._composition.forget_silent()
            await self.sleep(FORGET_SECONDS)

    async def on_shutdown(self) -> None:
        """Close what everybody used."""
        await self._composition.stop()
