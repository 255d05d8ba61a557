"""Rebuilding a partition of a mirror flow from its source: rows with the fence as their version, and rows that are no more."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import msgspec

from flows.model import MirrorFlow
from schemas.debezium import row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord
from sinks import ledger
from sinks.ledger import Claim
from sinks.mirror_rows import stale_keys_statement
from sinks.pool import Pool
from sinks.source_rows import Fence, SourceRow, fenced_read
from streams.mirror import MirrorWriter
from streams.mirror_decoding import MirrorDecoder, RowState
from streams.source_pass import Reading, SourcePasses

log = logging.getLogger(__name__)

STALE_PER_PAGE: Final = 5000


@dataclass
class MirrorPart:
    """What a page of the source holds for one partition.

    ``spared`` are keys of rows that must stay as they are: they are bad, or changed after the fence and their events follow.
    """

    fence: Fence
    states: list[RowState] = field(default_factory=list)
    spared: set[str] = field(default_factory=set)


class MirrorRebuilder:
    """Rebuilds partitions, each in the task of its lane. Those that wait at the same time share one reading."""

    def __init__(self, flow: MirrorFlow, source: Pool, target: Pool, writer: MirrorWriter, decoder: MirrorDecoder) -> None:
        self._flow = flow
        self._source = source
        self._target = target
        self._writer = writer
        self._decoder = decoder
        self._decode_row = row_decoder(flow)
        self._stale_keys = stale_keys_statement(flow, STALE_PER_PAGE)
        self._passes = SourcePasses(self._read)

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Rebuild the partition of ``claims`` (topic → claim); afterwards reading goes on at ``offsets`` (topic → offset)."""
        claim = next(iter(claims.values()))
        fence, spared = Fence(0, 0), set[str]()
        async with self._passes.seat(claim.partition) as seat:
            async for part in seat:
                await self._write(claim, part.states)
                fence, spared = part.fence, spared | part.spared
        await self._remove_stale(claim, fence, spared)
        for topic, held in claims.items():
            async with self._target.session() as session:
                await ledger.lock(session, held)
                await ledger.finish_resync(session, held, resync, offsets[topic], fence)
        log.warning("%s[%d]: rebuilt from the source", self._flow.name, claim.partition)

    async def _read(self) -> Reading[MirrorPart]:
        async with fenced_read(self._source, self._flow) as read:
            fence = Fence(self._decoder.epoch, read.lsn)
            yield {partition: MirrorPart(fence) for partition in range(self._flow.partitions)}
            async for page in read.pages():
                yield self._sorted(fence, page)

    def _sorted(self, fence: Fence, page: list[SourceRow]) -> dict[int, MirrorPart]:
        parts: dict[int, MirrorPart] = defaultdict(lambda: MirrorPart(fence))
        now = int(time.time() * 1e6)
        for row in page:
            state = self._state(row, fence, now)
            key = state.row_key if state else str(msgspec.json.decode(row.content)[self._flow.source.primary_key])
            part = parts[self._partition_of(key)]
            if state is None or row.late:
                part.spared.add(key)
            else:
                part.states.append(state)
        return parts

    def _state(self, row: SourceRow, fence: Fence, now: int) -> RowState | None:
        try:
            return self._decoder.states.present(self._decode_row(row.content), fence.epoch, fence.lsn, now)
        except BadRecord:
            return None

    def _partition_of(self, row_key: str) -> int:
        return partition_of(message_key(self._flow, row_key), self._flow.partitions)

    async def _remove_stale(self, claim: Claim, fence: Fence, spared: set[str]) -> None:
        """Versions still older than the fence, and target rows without a version, are of rows that the source no longer has."""
        after, now = "", int(time.time() * 1e6)
        while keys := await self._stale(fence, after):
            mine = [key for key in keys if key not in spared and self._partition_of(key) == claim.partition]
            states = self._decoder.states
            gone = [RowState(key, fence.epoch, fence.lsn, True, states.gone_content(key, now)) for key in mine]  # noqa: FBT003
            await self._write(claim, gone)
            after = keys[-1]

    async def _stale(self, fence: Fence, after: str) -> list[str]:
        parameters = {"flow": self._flow.name, "epoch": fence.epoch, "lsn": fence.lsn, "after": after}
        async with self._target.session() as session:
            return [key for (key,) in await session.rows(self._stale_keys, parameters)]

    async def _write(self, claim: Claim, states: list[RowState]) -> None:
        if states:
            async with self._target.session() as session:
                await ledger.lock(session, claim)
                await self._writer.write(session, states)
                await session.run("COMMIT")
