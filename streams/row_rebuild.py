"""Rebuilding a partition from its source: rows with the fence as their version, and rows that are no more."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import msgspec

from flows.model import CapturedFlow
from schemas.debezium import row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord
from sinks import ledger
from sinks.ledger import Claim
from sinks.pool import Pool, Session
from sinks.source_rows import Fence, SourceRow, fenced_read
from streams.applier import RecordDecoder
from streams.chunk import Change
from streams.source_pass import Reading, SourcePasses
from streams.unit_of_work import refusals_stop_the_flow

log = logging.getLogger(__name__)

STALE_PER_PAGE: Final = 5000

#: The wanted state of a row, as the flow's kind has it.
S = TypeVar("S", bound=Change)


@dataclass
class RowPart(Generic[S]):
    """What a page of the source holds for one partition.

    ``spared`` are keys of rows that must stay as they are: they are bad, or changed after the fence and their events follow.
    """

    fence: Fence
    states: list[S] = field(default_factory=list)
    spared: set[str] = field(default_factory=set)


class RowRebuilder(ABC, Generic[S]):
    """Rebuilds partitions, each in the task of its lane. Those that wait at the same time share one reading."""

    def __init__(self, flow: CapturedFlow, source: Pool, target: Pool, decoder: RecordDecoder) -> None:
        self._flow = flow
        self._source = source
        self._target = target
        self._epochs = decoder
        self._decode_row = row_decoder(flow)
        names = dict.fromkeys((flow.source.primary_key, flow.source.message_key), Any)
        self._decode_names = msgspec.json.Decoder(msgspec.defstruct("Names", list(names.items()))).decode
        self._passes = SourcePasses(self._read)

    @abstractmethod
    def _present(self, row: Any, fence: Fence, now: int) -> S:
        """The row stands in the source; ``now`` in microseconds. Raises :class:`BadRecord`."""

    @abstractmethod
    def _absent(self, row_key: str, fence: Fence, now: int) -> S:
        """The source has no such row."""

    @abstractmethod
    async def _write_states(self, session: Session, states: Sequence[S]) -> None:
        """Write those that are newer than what stands, inside the transaction."""

    @abstractmethod
    async def _stale(self, session: Session, fence: Fence, after: str) -> list[tuple[str, str]]:
        """Primary keys behind ``after`` of what is older than the fence, in order and not more than :data:`STALE_PER_PAGE`.

        Each with the value of the message key.
        """

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Rebuild the partition of ``claims`` (topic → claim); afterwards reading goes on at ``offsets`` (topic → offset)."""
        claim = next(iter(claims.values()))
        fence, spared = Fence(0, 0), set[str]()
        async with self._passes.seat(claim.partition) as seat:
            async for part in seat:
                await self._write(claim, part.states)
                fence, spared = part.fence, spared | part.spared
        await self._remove_stale(claim, fence, spared)
        async with self._target.session() as session:
            await ledger.finish_resync(session, claims, resync, offsets, fence)
        log.warning("%s[%d]: rebuilt from the source", self._flow.name, claim.partition)

    async def _read(self) -> Reading[RowPart[S]]:
        async with fenced_read(self._source, self._flow) as read:
            fence = Fence(self._epochs.epoch, read.lsn)
            yield {partition: RowPart(fence) for partition in range(self._flow.partitions)}
            async for page in read.pages():
                yield self._sorted(fence, page)

    def _sorted(self, fence: Fence, page: list[SourceRow]) -> dict[int, RowPart[S]]:
        parts: dict[int, RowPart[S]] = defaultdict(lambda: RowPart(fence))
        now = int(time.time() * 1e6)
        for row in page:
            state, (key, home) = self._state(row, fence, now), self._names_of(row.content)
            part = parts[self._partition_of(home)]
            if state is None or row.late:
                part.spared.add(key)
            else:
                part.states.append(state)
        return parts

    def _state(self, row: SourceRow, fence: Fence, now: int) -> S | None:
        try:
            return self._present(self._decode_row(row.content), fence, now)
        except BadRecord:
            return None

    def _names_of(self, content: bytes) -> tuple[str, str]:
        """Primary key and message key of a source row."""
        found = self._decode_names(content)
        return str(getattr(found, self._flow.source.primary_key)), str(getattr(found, self._flow.source.message_key))

    def _partition_of(self, home: str) -> int:
        return partition_of(message_key(self._flow, home), self._flow.partitions)

    async def _remove_stale(self, claim: Claim, fence: Fence, spared: set[str]) -> None:
        """What is still older than the fence is of rows that the source no longer has."""
        after, now = "", int(time.time() * 1e6)
        while keys := await self._stale_keys(fence, after):
            mine = [key for key, home in keys if key not in spared and self._partition_of(home) == claim.partition]
            await self._write(claim, [self._absent(key, fence, now) for key in mine])
            after, _ = keys[-1]

    async def _stale_keys(self, fence: Fence, after: str) -> list[tuple[str, str]]:
        async with self._target.session() as session:
            return await self._stale(session, fence, after)

    async def _write(self, claim: Claim, states: Sequence[S]) -> None:
        if not states:
            return
        async with self._target.session() as session:
            await ledger.lock(session, claim)
            with refusals_stop_the_flow():
                await self._write_states(session, states)
            await session.run("COMMIT")
