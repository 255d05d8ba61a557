"""Takes partitions over and gives them up: fencing tokens, lanes, and the control loop that watches the database."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar, cast

import mode
from faust.types import TP, EventT

from sinks import flow_state, ledger, standing, upstream_loss
from sinks.ledger import Claim, LostOwnership
from sinks.source_identity import SourceReplaced
from sinks.upstream_loss import Loss
from streams.batches import Record
from streams.lane import Lane, LaneServices, LaneState
from streams.log_reader import LogReader
from streams.outage import FIRST_PAUSE, is_outage
from streams.positioning import verify
from streams.transport import LedgerConsumer

log = logging.getLogger(__name__)
T = TypeVar("T")

DRAIN_SECONDS: Final = 3.0
LOOKS_PER_SOURCE_CHECK: Final = 30


class Coordinator(mode.Service):
    """The lanes of one flow on this worker."""

    def __init__(self, services: LaneServices, consumer: Callable[[], LedgerConsumer]) -> None:
        super().__init__()
        self.services = services
        self.lanes: dict[int, Lane] = {}
        self._consumer = consumer
        self._lane_tasks: dict[int, asyncio.Task[None]] = {}
        self._takeover: asyncio.Task[None] | None = None
        self._recovered = asyncio.Event()
        self._generation: int | None = None
        self._hinted: dict[TP, int] = {}

    @property
    def assigned_now(self) -> bool:
        """Whether this worker has its part of the group's partitions; it may be none of this flow's."""
        return self._takeover is not None

    @property
    def open(self) -> bool:
        """Whether the partitions are taken over, the tables recovered and the lanes at work."""
        return self._takeover is not None and self._takeover.done()

    # -- assignment -------------------------------------------------------------------------------------------------

    async def assigned(self, assigned: Iterable[TP]) -> None:
        """New partitions: take the tokens in the background, so that an outage does not hold up the group."""
        await self.release()
        self._generation = self.services.generation()
        self._hinted.clear()  # Others may have told the group something else since.
        topics: dict[int, set[str]] = defaultdict(set)
        for tp in assigned:
            if tp.topic in self.services.flow.topics:
                topics[tp.partition].add(tp.topic)
        self.services.upkeep.forget_ownership()
        self._takeover = asyncio.create_task(self._take_over(dict(topics)))

    def recovered(self) -> None:
        """Faust has recovered the tables of the present assignment; an older one's recovery may still end late."""
        if self._generation == self.services.generation():
            self._recovered.set()

    async def release(self) -> None:
        """Give everything up; chunks under way may finish for :data:`DRAIN_SECONDS`, the token guards what comes after."""
        self._recovered.clear()
        if self._takeover is not None:
            self._takeover.cancel()
            self._takeover = None
        for partition, lane in self.lanes.items():
            await lane.close()
            if lane.state is LaneState.REBUILDING and partition in self._lane_tasks:
                # A rebuild is begun anew in any case; only a chunk is worth waiting for.
                self._lane_tasks[partition].cancel()
        if self._lane_tasks:
            _, late = await asyncio.wait(self._lane_tasks.values(), timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)
        self.lanes.clear()
        self._lane_tasks.clear()

    async def _take_over(self, topics: dict[int, set[str]]) -> None:
        try:
            wanted = [(topic, partition) for partition in topics for topic in topics[partition]]
            claims = await self._until_answering(lambda: self._try_claim(wanted))
            await self._until_answering(self._check_source)
            by_partition: dict[int, dict[str, Claim]] = defaultdict(dict)
            for claim in claims:
                by_partition[claim.partition][claim.topic] = claim
            self.lanes = {
                partition: Lane(self.services, partition, owned, self._consumer()) for partition, owned in by_partition.items()
            }
            await self._recovered.wait()
            for partition, lane in self.lanes.items():
                self._lane_tasks[partition] = asyncio.create_task(lane.run())
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the partitions must not stay with us
            await self.services.crash(error)

    async def _until_answering(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until no outage is in the way."""
        while True:
            try:
                return await attempt()
            except Exception as error:
                if not is_outage(error):
                    raise
                log.warning("%s: waiting to take partitions over: %s", self.services.flow.name, type(error).__name__)
                await asyncio.sleep(FIRST_PAUSE)
                await self.services.circuit.until_answering()

    async def _check_source(self) -> None:
        """Learn the epoch of the source; stop the flow when the source is another cluster. An absent source is no reason."""
        services = self.services
        if services.source is None:
            return
        found = await services.source.identity()
        async with services.target.session() as session:
            try:
                services.work.applier.decoder.epoch = await services.source.epoch(session, found)
            except SourceReplaced as replaced:
                await flow_state.stop(session, services.flow.name, str(replaced), services.settings.name)
                await upstream_loss.note(session, [services.flow.name], Loss.SOURCE, str(replaced), services.settings.name)

    async def _try_claim(self, partitions: list[tuple[str, int]]) -> list[Claim]:
        if not partitions:
            return []
        services = self.services
        starts = await services.log_reader.start_offsets(partitions)
        async with services.target.session() as session:
            rows = [(topic, partition, offset) for (topic, partition), offset in starts.items()]
            claims = await ledger.claim(session, services.flow.name, services.settings.name, rows)
        await self._verify(claims)
        return claims

    async def _verify(self, claims: list[Claim]) -> None:
        """Stop the flow when a topic is not the one that the ledger knows."""
        reader: LogReader = self.services.log_reader
        names = [(claim.topic, claim.partition) for claim in claims]
        begins, ends = await reader.start_offsets(names), await reader.end_offsets(names)
        wanted = {
            (claim.topic, claim.partition): claim.next_offset - 1
            for claim in claims
            if begins[claim.topic, claim.partition] < claim.next_offset <= ends[claim.topic, claim.partition]
        }
        last = await reader.records_at(wanted)
        refusals = [refusal for claim in claims if (refusal := verify(claim, last.get((claim.topic, claim.partition))))]
        if refusals:
            async with self.services.target.session() as session:
                flow, worker, reason = self.services.flow.name, self.services.settings.name, refusals[0].reason
                await flow_state.stop(session, flow, reason, worker)
                await upstream_loss.note(session, [flow], Loss.TOPIC, reason, worker)

    # -- events -----------------------------------------------------------------------------------------------------

    async def deliver(self, event: EventT[Any]) -> None:
        """Hand what one fetch brought of a topic to the lanes of its partitions."""
        message = event.message
        for records in cast("list[list[Record]]", message.value):
            lane = self.lanes.get(records[0].partition)
            if lane is not None and message.generation_id == self.services.generation():
                await lane.inbox.put(records)

    # -- control ----------------------------------------------------------------------------------------------------

    @mode.Service.task
    async def _control(self) -> None:
        """Follow pause, resume, resync and replay, which operators write into the database."""
        looks = 0
        while not self.should_stop:
            await self.sleep(self.services.settings.control_interval)
            looks += 1
            try:
                await self._look()
                if looks % LOOKS_PER_SOURCE_CHECK == 0:
                    await self._check_source()
            except LostOwnership as error:
                await self.services.crash(error)
            except Exception as error:  # noqa: BLE001 - as above
                if not is_outage(error):
                    await self.services.crash(error)

    async def _look(self) -> None:
        if not self.lanes:
            return
        flow, lanes = self.services.flow, dict(self.lanes)
        # Taken before the database is asked: a chunk committed meanwhile must not look like a rewind.
        known = {(topic, p): offset for p, lane in lanes.items() for topic, offset in lane.next_offsets.items()}
        async with self.services.target.session() as session:
            stands = await standing.read(session, flow.name, list(lanes))
        found = stands.positions
        for partition, lane in lanes.items():
            mine = {topic: found[topic, partition] for topic in lane.claims if (topic, partition) in found}
            for topic, (_, epoch) in mine.items():
                if self.lanes.get(partition) is lane and epoch != lane.claims[topic].owner_epoch:
                    raise LostOwnership(f"{topic}[{partition}]: epoch {epoch} owns it now")
            lane.observe(stands.state, rewound=any(offset < known[topic, partition] for topic, (offset, _) in mine.items()))
        await self._hint({TP(t, p): offset for p, lane in lanes.items() for t, offset in lane.next_offsets.items()})

    async def _hint(self, offsets: dict[TP, int]) -> None:
        news = {tp: offset for tp, offset in offsets.items() if self._hinted.get(tp) != offset}
        if await self._consumer().hint(news):
            self._hinted |= news

    async def on_stop(self) -> None:
        """Drain: finish the chunks under way."""
        await self.release()
