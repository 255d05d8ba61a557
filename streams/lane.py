"""A lane applies the chunks of one partition of one flow, one at a time, in order.

It opens (decides where to start, rebuilds if it must), consumes, and at any interruption closes and opens again: the ledger,
not the lane, remembers. A lane that cannot go on discards what comes; it never makes an agent wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from faust.types import TP

from flows.model import Flow
from settings import Worker
from sinks import flow_state, standing, upstream_loss
from sinks.flow_state import RUNNING
from sinks.ledger import Claim, LostOwnership
from sinks.pool import Pool
from sinks.source_rows import FenceTimeout
from sinks.upstream_loss import Loss
from streams.batches import Record
from streams.captured_source import CapturedSource
from streams.chunk import Chunk
from streams.inbox import Budget, Inbox
from streams.log_reader import LogReader
from streams.outage import Circuit, is_outage
from streams.outcomes import Listener, Nobody, PartitionStatistics
from streams.positioning import Rebuild, Refuse, Start, decide
from streams.share_breaker import TooManyDeadLetters
from streams.unit_of_work import Committed, FlowHalted, FlowMustStop, Gap, OriginalsNeeded, UnitOfWork
from streams.upkeep import Upkeep

log = logging.getLogger(__name__)

FAILURE_PAUSE: Final = 0.2


class LaneState(StrEnum):
    """What a lane is doing, as people see it."""

    RECOVERING = "recovering"
    OPENING = "opening"
    OPEN = "open"
    REBUILDING = "rebuilding"
    PAUSED = "paused"
    STOPPED = "stopped"
    WAITING = "waiting"
    CLOSED = "closed"


class PartitionReader(Protocol):
    """The part of the consumer that a lane directs."""

    async def open_at(self, tp: TP, offset: int) -> None:
        """Read from ``offset`` on."""

    def close_partitions(self, tps: set[TP]) -> None:
        """Fetch no more."""

    def highwater(self, tp: TP) -> int | None:
        """The end of the log as of the last fetch."""
        ...


@dataclass(frozen=True)
class LaneServices:
    """What the lanes of one flow share.

    ``apply`` does with a chunk what ``work`` says. ``source``: the database that it is captured from, if one is.
    """

    flow: Flow
    settings: Worker
    work: UnitOfWork
    apply: Callable[[Claim, Chunk], Awaitable[Committed]]
    upkeep: Upkeep
    source: CapturedSource | None
    target: Pool
    circuit: Circuit
    log_reader: LogReader
    slots: asyncio.Semaphore
    budget: Budget
    crash: Callable[[BaseException], Awaitable[None]]
    generation: Callable[[], int]
    listener: Listener = field(default_factory=Nobody)


class Lane:
    """One partition. ``claims``: topic → the token that we hold."""

    def __init__(self, services: LaneServices, partition: int, claims: dict[str, Claim], reader: PartitionReader) -> None:
        self.partition = partition
        self.claims = claims
        self.state = LaneState.RECOVERING
        self.statistics = {topic: PartitionStatistics(listener=services.listener) for topic in claims}
        self.last_error: str | None = None
        self.next_offsets = {topic: claim.next_offset for topic, claim in claims.items()}
        limits = services.settings.max_chunk_records, services.settings.max_chunk_bytes
        self.inbox = Inbox(self._decode, *limits, services.budget)
        self._services = services
        self._reader = reader
        self._resynced = min(claim.resynced for claim in claims.values())
        self._running = asyncio.Event()
        self._running.set()
        self._reopen = False
        self._closing = False
        self._keep_until: int | None = None
        self._applying: Chunk | None = None
        self._tick_interval = services.upkeep.interval or services.settings.tick_interval
        self._tick_due = time.monotonic() + self._tick_interval

    @property
    def name(self) -> str:
        """For logs: flow and partition."""
        return f"{self._services.flow.name}[{self.partition}]"

    def oldest_timestamp(self, topic: str) -> int | None:
        """Kafka's timestamp (ms) of the first record of ``topic`` that is not applied, if it is here."""
        chunk = self._applying or self.inbox.first()
        if chunk is None or (chunk.topic, chunk.first_offset) != (topic, self.next_offsets[topic]):
            return None
        return chunk.first_timestamp

    def _decode(self, batch: Sequence[Record]) -> list[Chunk]:
        return self._services.work.applier.decoder.decode(batch, keep=self._keep_until is not None)

    def observe(self, state: flow_state.FlowState, *, rewound: bool) -> None:
        """What the control loop saw in the database: the flow's state, and whether an operator sent the ledger back."""
        if state.state == RUNNING:
            self._running.set()
        else:
            self._running.clear()
        if self.state is LaneState.OPEN and (state.state != RUNNING or state.resync > self._resynced or rewound):
            self._reopen = True
            self.inbox.wake()

    async def run(self) -> None:
        """Until :meth:`close`. Anything unexpected crashes the worker, which thereby leaves the group."""
        try:
            while not self._closing:
                await self._once()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the partition must not stay with us
            self.last_error = type(error).__name__
            if self._services.upkeep.discard_if_damaged(error):
                log.warning("%s: the table's files are damaged; the next start recovers them from the changelog", self.name)
            log.critical("%s: %s; the worker leaves the group", self.name, type(error).__name__)
            await self._services.crash(error)
        finally:
            self._shut(LaneState.CLOSED)

    async def _once(self) -> None:
        try:
            await self._wait_until_running()
            if not self._closing:
                await self._open()
                await self._consume()
        except (Gap, FlowHalted) as interruption:
            log.info("%s: %s", self.name, interruption)
        except OriginalsNeeded as interruption:
            log.info("%s: %s", self.name, interruption)
            self._keep_until = interruption.until
        except (FlowMustStop, TooManyDeadLetters) as reason:
            await self._stop_flow(str(reason))
        except LostOwnership:
            raise
        except Exception as error:
            if not is_outage(error):
                raise
            await self._wait_out(error)
        finally:
            self._shut(LaneState.OPENING)

    async def _wait_until_running(self) -> None:
        async with self._services.target.session() as session:
            state = await flow_state.read(session, self._services.flow.name)
        if state.state != RUNNING:
            self._running.clear()
            self._shut(LaneState(state.state))
            await self._running.wait()
            self._services.work.breaker.reset()

    async def _open(self) -> None:
        """Find the ledger's position, rebuild if the log or the table cannot continue there, start reading."""
        services, self._reopen = self._services, False
        async with services.target.session() as session:
            stands = await standing.read(session, services.flow.name, [self.partition])
            if services.source is not None:
                # An operator may have set a new epoch while the flow stood still.
                services.work.applier.decoder.epoch = await services.source.epoch(session)
        found, state = stands.positions, stands.state
        starts = await self._starts(found)
        rebuilds = [start for start in starts.values() if isinstance(start, Rebuild)]
        if rebuilds or state.resync > self._resynced:
            await self._rebuild(starts, [start.reason for start in rebuilds] or ["an operator asked"], state.resync)
        self.inbox.open()
        self.state = LaneState.OPEN
        for topic, start in starts.items():
            self.next_offsets[topic] = found[topic, self.partition][0]
            await self._reader.open_at(TP(topic, self.partition), start.offset)

    async def _starts(self, found: dict[tuple[str, int], tuple[int, int]]) -> dict[str, Start | Rebuild]:
        services, partitions = self._services, [(topic, self.partition) for topic in self.claims]
        begins = await services.log_reader.start_offsets(partitions)
        ends = await services.log_reader.end_offsets(partitions)
        loss = await services.upkeep.loss(self.partition)
        starts: dict[str, Start | Rebuild] = {}
        for topic, claim in self.claims.items():
            next_offset, epoch = found.get((topic, self.partition), (0, -1))
            if epoch != claim.owner_epoch:
                raise LostOwnership(f"{topic}[{self.partition}]: epoch {epoch} owns it, ours is {claim.owner_epoch}")
            log_range = range(begins[topic, self.partition], ends[topic, self.partition])
            start = decide(claim, next_offset, services.upkeep.reflected(self.partition, topic, next_offset), log_range)
            if isinstance(start, Refuse):
                await self._alarm(Loss.TOPIC, start.reason)
                raise FlowMustStop(start.reason)
            if isinstance(start, Rebuild) and start.lost:
                await self._alarm(Loss.RECORDS, start.reason)
            if loss and isinstance(start, Start):
                start = Rebuild(next_offset, loss)
            starts[topic] = start
        return starts

    async def _rebuild(self, starts: dict[str, Start | Rebuild], reasons: list[str], resync: int) -> None:
        self.state = LaneState.REBUILDING
        log.warning("%s: rebuilding from the source: %s", self.name, "; ".join(reasons))
        offsets = {topic: start.offset for topic, start in starts.items()}
        await self._services.upkeep.rebuild(self.claims, offsets, resync)
        self._resynced = resync

    async def _consume(self) -> None:
        while not (self._closing or self._reopen):
            wait = max(self._tick_due - time.monotonic(), 0.0)
            if await self.inbox.ready(wait, self._backlog):
                await self._next()
            if time.monotonic() >= self._tick_due:
                await self._services.upkeep.tick(next(iter(self.claims.values())))
                self._tick_due = time.monotonic() + self._tick_interval

    async def _next(self) -> None:
        """Apply the first chunk. One that is not small waits for a slot, and grows while it waits."""
        first = self.inbox.first()
        if first is not None and not first.is_small:
            async with self._services.slots:
                await self._apply(self.inbox.take())
        else:
            await self._apply(self.inbox.take())

    def _backlog(self, chunk: Chunk) -> int:
        """Records that the log holds behind a chunk, as of the last fetch."""
        return (self._reader.highwater(TP(chunk.topic, chunk.partition)) or 0) - chunk.next_offset

    async def _apply(self, chunk: Chunk | None) -> None:
        if chunk is None:
            return
        self._applying = chunk
        try:
            committed = await self._services.apply(self.claims[chunk.topic], chunk)
        finally:
            self._applying = None
        self.next_offsets[chunk.topic] = max(self.next_offsets[chunk.topic], committed.next_offset)
        self.statistics[chunk.topic].committed(committed.counts, committed.source_times)
        if self._keep_until is not None and committed.next_offset >= self._keep_until:
            self._keep_until = None
        if committed.holes:
            await self._services.upkeep.repair(self.partition, committed.holes)

    async def _stop_flow(self, reason: str) -> None:
        log.error("%s: the flow stops: %s", self.name, reason)
        self.last_error = reason
        self._shut(LaneState.STOPPED)
        self._running.clear()
        async with self._services.target.session() as session:
            await flow_state.stop(session, self._services.flow.name, reason, self._services.settings.name)

    async def _alarm(self, kind: Loss, detail: str) -> None:
        async with self._services.target.session() as session:
            await upstream_loss.note(session, [self._services.flow.name], kind, detail, self._services.settings.name)

    async def _wait_out(self, error: Exception) -> None:
        self.last_error = str(error) if isinstance(error, FenceTimeout) else type(error).__name__
        self._shut(LaneState.WAITING)
        log.warning("%s: waiting: %s", self.name, self.last_error)
        await asyncio.sleep(FAILURE_PAUSE)
        await self._services.circuit.until_answering()

    def _shut(self, state: LaneState) -> None:
        self.state = state
        self._reader.close_partitions({TP(topic, self.partition) for topic in self.claims})
        self.inbox.close()

    async def close(self) -> None:
        """Take no more work; a chunk under way may finish."""
        self._closing = True
        self.inbox.close()
        self._running.set()
