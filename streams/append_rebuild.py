"""Rebuilding a partition of an append flow from its source: the state of each row has a fact. What happened stays as it is."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field

from flows.append_model import AppendFlow
from schemas.debezium import row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord
from sinks import ledger
from sinks.ledger import Claim
from sinks.pool import Pool, Session
from sinks.source_rows import Fence, SourceRow, fenced_read
from streams.append import AppendApplier
from streams.append_decoding import Fact, News
from streams.source_pass import Reading, SourcePasses
from streams.unit_of_work import refusals_stop_the_flow

log = logging.getLogger(__name__)


@dataclass
class AppendPart:
    """What a page of the source holds for one partition."""

    fence: Fence
    facts: list[Fact] = field(default_factory=list)


class AppendRebuilder:
    """Rebuilds partitions, each in the task of its lane. Those that wait at the same time share one reading."""

    def __init__(self, applier: AppendApplier, source: Pool, target: Pool) -> None:
        self._applier = applier
        self._flow: AppendFlow = applier.flow
        self._source = source
        self._target = target
        self._decode_row = row_decoder(applier.flow)
        self._passes = SourcePasses(self._read)

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Rebuild the partition of ``claims`` (topic → claim); afterwards reading goes on at ``offsets`` (topic → offset)."""
        claim = next(iter(claims.values()))
        fence, left_out = Fence(0, 0), 0
        async with self._passes.seat(claim.partition) as seat:
            async for part in seat:
                fence, left_out = part.fence, left_out + await self._write(claim, part.facts)
        async with self._target.session() as session:
            await ledger.finish_resync(session, claims, resync, offsets, fence)
        log.warning("%s[%d]: rebuilt from the source", self._flow.name, claim.partition)
        if left_out:
            table = self._flow.reference.table.qualified
            log.warning("%s[%d]: %d rows refer to what %s does not have", self._flow.name, claim.partition, left_out, table)

    async def _read(self) -> Reading[AppendPart]:
        async with fenced_read(self._source, self._flow) as read:
            fence = Fence(self._applier.decoder.epoch, read.lsn)
            yield {partition: AppendPart(fence) for partition in range(self._flow.partitions)}
            async for page in read.pages():
                yield self._sorted(fence, page)

    def _sorted(self, fence: Fence, page: list[SourceRow]) -> dict[int, AppendPart]:
        """By partition. Whether events of a row are still on their way does not matter: what they tell takes precedence."""
        parts: dict[int, AppendPart] = defaultdict(lambda: AppendPart(fence))
        for row in page:
            try:
                fact = self._applier.decoder.facts.told_of(self._decode_row(row.content), News.FOUND)
            except BadRecord:
                continue  # Its event is a dead letter.
            partition = partition_of(message_key(self._flow, fact.row_key), self._flow.partitions)
            parts[partition].facts.append(fact)
        return parts

    async def _write(self, claim: Claim, facts: list[Fact]) -> int:
        """Returns how many could not be written because what they refer to is not there."""
        if not facts:
            return 0
        async with self._target.session() as session:
            await ledger.lock(session, claim)
            with refusals_stop_the_flow():
                known = await self._backfill(session, facts)
            await session.run("COMMIT")
        return sum(fact.reference not in known for fact in facts)

    async def _backfill(self, session: Session, facts: list[Fact]) -> dict[str, str]:
        known = await self._applier.parked.known(session, {fact.reference for fact in facts})
        found = [(fact, known[fact.reference]) for fact in facts if fact.reference in known]
        await self._applier.writer.backfill(session, found)
        return known
