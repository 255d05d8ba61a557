"""Rebuilding the candidates of a partition, and its target rows, from the source database.

The remedy for everything that the log cannot give back: lost tables, records dropped by retention, an accepted TRUNCATE,
a lost replication slot.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Final
from uuid import UUID

import msgspec

from flows.model import RankedFlow
from schemas.debezium import row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord
from sinks import ledger
from sinks.ledger import Claim
from sinks.pool import Pool
from sinks.source_rows import FencedRead, SourceRow, fenced_read
from sinks.target_groups import target_groups
from streams.ranked_decoding import RankedDecoder, row_builder
from streams.ranked_writer import RankedWriter
from tables.candidates import CandidateTable, Change, Entries, Position
from tables.entry import GROUP, LOWEST, VERSION, Version, entry_key, is_live, removed, version_of

log = logging.getLogger(__name__)

RowBuilder = Callable[[Any], tuple[bytes, bytes]]

GROUPS_PER_TRANSACTION: Final = 1000
ENTRIES_PER_WRITE: Final = 5000


class Rebuilder:
    """Rebuilds one partition at a time; other partitions go on meanwhile."""

    def __init__(
        self, flow: RankedFlow, table: CandidateTable, source: Pool, target: Pool, writer: RankedWriter, decoder: RankedDecoder
    ) -> None:
        self._flow = flow
        self._table = table
        self._source = source
        self._target = target
        self._writer = writer
        self._decoder = decoder
        self._decode_row = row_decoder(flow)

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Rebuild the partition of ``claims`` (topic → claim); afterwards reading goes on at ``offsets`` (topic → offset).

        Raises ``FenceTimeout`` when the source has a long open transaction, otherwise as the unit of work does.
        """
        partition = next(iter(claims.values())).partition
        async with fenced_read(self._source, self._flow) as read:
            floor = version_of(self._decoder.epoch, read.lsn)
            spared = await self._load(partition, read, floor)
        await self._remove_absent(partition, floor, spared)
        await self._record_positions(partition, claims, offsets, floor)
        await self._rewrite_target(claims, partition)
        await self._finish(claims, offsets, resync)

    async def _load(self, partition: int, read: FencedRead, floor: Version) -> set[bytes]:
        """Write the source's rows with the fence as version; returns keys whose entries must stay as they are.

        These are rows that changed after the fence, whose events follow, and bad rows, whose last good version stands.
        """
        build = row_builder(self._flow, floor, int(time.time() * 1e6))
        spared: set[bytes] = set()
        async for page in read.pages():
            changes = []
            for row in page:
                key, entry = self._entry(row, build)
                if key is None or self._partition_of(key) != partition:
                    continue
                if entry is None or row.late:
                    spared.add(key)
                else:
                    changes.append(Change(key, entry))
            staged = self._table.stage(partition, changes, LOWEST)
            await self._store(partition, staged.entries, staged.standing)
        return spared

    def _entry(self, row: SourceRow, build: RowBuilder) -> tuple[bytes | None, bytes | None]:
        """The key and the entry of a row; no entry for a bad row, no key when not even that can be read."""
        try:
            return build(self._decode_row(row.content))
        except BadRecord:
            return self._bad_row_key(row.content), None

    def _bad_row_key(self, content: bytes) -> bytes | None:
        found = msgspec.json.decode(content)
        try:
            return entry_key(found[self._flow.source.message_key], found[self._flow.source.primary_key])
        except (AttributeError, OverflowError, TypeError, ValueError):
            return None

    def _partition_of(self, key: bytes) -> int:
        return partition_of(message_key(self._flow, str(UUID(bytes=key[GROUP]))), self._flow.partitions)

    async def _remove_absent(self, partition: int, floor: Version, spared: set[bytes]) -> None:
        """Entries still older than the fence are of rows that the source no longer has."""
        now = int(time.time() * 1e6)
        absent = (
            (key, entry)
            for key, entry in self._table.entries(partition)
            if is_live(entry) and entry[VERSION] < floor and key not in spared
        )
        while batch := dict(islice(absent, ENTRIES_PER_WRITE)):
            gone: Entries = {key: removed(floor, now, entry) for key, entry in batch.items()}
            await self._store(partition, gone, dict(batch))

    async def _record_positions(self, partition: int, claims: dict[str, Claim], offsets: dict[str, int], floor: Version) -> None:
        positions = {}
        for topic in claims:
            before = self._table.position(partition, topic)
            positions[topic] = Position((before.rebuilt if before else 0) + 1, offsets[topic], floor)
        append = await self._table.write(partition, {}, {}, positions)
        self._table.acknowledged(partition, await append.acknowledged())

    async def _store(self, partition: int, entries: Entries, standing: Entries) -> None:
        if entries:
            append = await self._table.write(partition, entries, standing, {})
            self._table.acknowledged(partition, await append.acknowledged())

    async def _rewrite_target(self, claims: dict[str, Claim], partition: int) -> None:
        """Rank every group that has candidates, or rows in the target, under the ledger lock."""
        claim = next(iter(claims.values()))
        known = self._table.all_groups(partition)
        while groups := list(islice(known, GROUPS_PER_TRANSACTION)):
            await self._write_groups(claim, groups)
        async with self._target.session() as session:
            standing = [
                group
                async for group in target_groups(session, self._flow)
                if partition_of(message_key(self._flow, group), self._flow.partitions) == partition
            ]
        unknown: Iterator[bytes] = (bytes.fromhex(group.replace("-", "")) for group in standing)
        while groups := list(islice(unknown, GROUPS_PER_TRANSACTION)):
            await self._write_groups(claim, groups)

    async def _write_groups(self, claim: Claim, groups: list[bytes]) -> None:
        async with self._target.session() as session:
            locked = await ledger.lock(session, claim)
            await self._writer.write_stored(session, claim.partition, groups, locked.now)
            await session.run("COMMIT")

    async def _finish(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        for topic, claim in claims.items():
            async with self._target.session() as session:
                await ledger.lock(session, claim)
                await ledger.finish_resync(session, claim, resync, offsets[topic])
        log.warning("%s: rebuilt from the source", ", ".join(f"{c.topic}[{c.partition}]" for c in claims.values()))
