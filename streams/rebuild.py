"""Rebuilding the candidates of a partition, and its target rows, from the source database.

The remedy for everything that the log cannot give back: lost tables, records dropped by retention, an accepted TRUNCATE,
a lost replication slot.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from flows.model import RankedFlow
from sinks import ledger
from sinks.ledger import Claim
from sinks.pool import Pool
from sinks.source_rows import Fence
from streams.ranked_decoding import RankedDecoder
from streams.ranked_source import Part, RankedSource
from streams.ranked_writer import RankedWriter
from streams.source_pass import Seat, SourcePasses
from tables.candidates import CandidateTable, Entries, Position
from tables.entry import LOWEST, VERSION, is_live, removed, version_of

log = logging.getLogger(__name__)

GROUPS_PER_TRANSACTION: Final = 1000
ENTRIES_PER_WRITE: Final = 5000


@dataclass
class _Loaded:
    """What is to be known of a partition's rows when all are written; see :class:`~streams.ranked_source.Part`.

    ``orphans`` are groups of the target that have no entry.
    """

    fence: Fence
    spared: set[bytes] = field(default_factory=set)
    orphans: list[bytes] = field(default_factory=list)


class Rebuilder:
    """Rebuilds partitions, each in the task of its lane. Those that wait at the same time share one reading."""

    def __init__(
        self, flow: RankedFlow, table: CandidateTable, source: Pool, target: Pool, writer: RankedWriter, decoder: RankedDecoder
    ) -> None:
        self._table = table
        self._target = target
        self._writer = writer
        self._passes = SourcePasses(RankedSource(flow, source, target, decoder).read)

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Rebuild the partition of ``claims`` (topic → claim); afterwards reading goes on at ``offsets`` (topic → offset).

        Raises ``FenceTimeout`` when the source has a long open transaction, otherwise as the unit of work does. Cancelled, it
        writes nothing more; what is there then is a beginning, which the next rebuild completes.
        """
        claim = next(iter(claims.values()))
        async with self._passes.seat(claim.partition) as seat:
            loaded = await self._load(seat)
        await self._remove_absent(claim.partition, loaded)
        await self._record_positions(claim.partition, claims, offsets, loaded.fence)
        await self._rewrite_target(claim, chain(self._table.all_groups(claim.partition), loaded.orphans))
        async with self._target.session() as session:
            await ledger.finish_resync(session, claims, resync, offsets, loaded.fence)
        log.warning("%s: rebuilt from the source", ", ".join(f"{c.topic}[{c.partition}]" for c in claims.values()))

    async def _load(self, seat: Seat[Part]) -> _Loaded:
        """Write the source's rows with the fence as their version."""
        loaded = _Loaded((await anext(seat)).fence)  # The first part has nothing else.
        async for part in seat:
            staged = self._table.stage(seat.partition, part.changes, LOWEST)
            await self._store(seat.partition, staged.entries, staged.standing)
            loaded.spared |= part.spared
            loaded.orphans += [group for group, entries in self._table.groups(seat.partition, part.groups) if not entries]
        return loaded

    async def _remove_absent(self, partition: int, loaded: _Loaded) -> None:
        """Entries still older than the fence are of rows that the source no longer has."""
        now, version = int(time.time() * 1e6), version_of(*loaded.fence)
        entries = self._table.entries(partition)
        while page := dict(islice(entries, ENTRIES_PER_WRITE)):
            absent: Entries = {
                key: entry
                for key, entry in page.items()
                if is_live(entry) and entry[VERSION] < version and key not in loaded.spared
            }
            await self._store(partition, {key: removed(version, now, entry) for key, entry in absent.items()}, absent)
            await asyncio.sleep(0)  # Where nothing is absent, nothing else lets the other lanes go on.

    async def _record_positions(self, partition: int, claims: dict[str, Claim], offsets: dict[str, int], fence: Fence) -> None:
        positions = {}
        for topic in claims:
            before = self._table.position(partition, topic)
            positions[topic] = Position((before.rebuilt if before else 0) + 1, offsets[topic], version_of(*fence))
        append = await self._table.write(partition, {}, {}, positions)
        await self._table.until_acknowledged(partition, append)

    async def _store(self, partition: int, entries: Entries, standing: Entries) -> None:
        if entries:
            append = await self._table.write(partition, entries, standing, {})
            await self._table.until_acknowledged(partition, append)

    async def _rewrite_target(self, claim: Claim, groups: Iterator[bytes]) -> None:
        """Rank every group that has candidates, or rows in the target, under the ledger lock."""
        while some := list(islice(groups, GROUPS_PER_TRANSACTION)):
            await self._write_groups(claim, some)

    async def _write_groups(self, claim: Claim, groups: list[bytes]) -> None:
        async with self._target.session() as session:
            locked = await ledger.lock(session, claim)
            await self._writer.write_stored(session, claim.partition, groups, locked.now)
            await session.run("COMMIT")
