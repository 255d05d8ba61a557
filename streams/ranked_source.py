"""What a ranked flow's partitions are rebuilt from: its source as entries, and the groups that its target holds."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from flows.model import RankedFlow
from schemas.debezium import row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord
from sinks.pool import Pool
from sinks.source_rows import Fence, SourceRow, fenced_read
from sinks.target_groups import target_groups
from streams.ranked_decoding import RankedDecoder, row_builder
from streams.source_pass import Reading
from tables.candidates import Change
from tables.entry import GROUP, entry_key, group_key, version_of

#: The partition of a group costs more than the rest of its row, and a group's rows often lie together.
REMEMBERED_GROUPS: Final = 10_000
GROUPS_PER_PAGE: Final = 1000


@dataclass
class Part:
    """What a page holds for one partition.

    ``changes`` are entries of the fence's version. ``spared`` are keys whose entries must stay as they are: of rows that changed
    after the fence, whose events follow, and of bad rows, whose last good version stands. ``groups`` stand in the target; they
    come when all changes have come.
    """

    fence: Fence
    changes: list[Change] = field(default_factory=list)
    spared: set[bytes] = field(default_factory=set)
    groups: list[bytes] = field(default_factory=list)


Parts = dict[int, Part]


class Sorter:
    """Takes what was read behind one fence apart, by partition."""

    def __init__(self, flow: RankedFlow, fence: Fence) -> None:
        self.fence = fence
        self._flow = flow
        self._decode = row_decoder(flow)
        self._build = row_builder(flow, version_of(*fence), int(time.time() * 1e6))
        self._partition_of = lru_cache(REMEMBERED_GROUPS)(self._partition)

    def nothing(self) -> Parts:
        """A part without content for every partition, which tells the fence."""
        return {partition: Part(self.fence) for partition in range(self._flow.partitions)}

    def rows(self, page: list[SourceRow]) -> Parts:
        """Rows of the source."""
        parts: Parts = defaultdict(lambda: Part(self.fence))
        for row in page:
            key, entry = self._entry(row)
            if key is None:
                continue
            part = parts[self._partition_of(key[GROUP])]
            if entry is None or row.late:
                part.spared.add(key)
            else:
                part.changes.append(Change(key, entry))
        return parts

    def groups(self, page: list[str]) -> Parts:
        """Groups of the target."""
        parts: Parts = defaultdict(lambda: Part(self.fence))
        for group in map(group_key, page):
            parts[self._partition(group)].groups.append(group)
        return parts

    def _entry(self, row: SourceRow) -> tuple[bytes | None, bytes | None]:
        """The key and the entry of a row; no entry for a bad row, no key when not even that can be read."""
        try:
            return self._build(self._decode(row.content))
        except BadRecord:
            return self._bad_row_key(row.content), None

    def _bad_row_key(self, content: bytes) -> bytes | None:
        found = msgspec.json.decode(content)
        try:
            return entry_key(found[self._flow.source.message_key], found[self._flow.source.primary_key])
        except (AttributeError, OverflowError, TypeError, ValueError):
            return None

    def _partition(self, group: bytes) -> int:
        return partition_of(message_key(self._flow, str(UUID(bytes=group))), self._flow.partitions)


class RankedSource:
    """Reads for rebuilds of one flow."""

    def __init__(self, flow: RankedFlow, source: Pool, target: Pool, decoder: RankedDecoder) -> None:
        self._flow = flow
        self._source = source
        self._target = target
        self._decoder = decoder

    async def read(self) -> Reading[Part]:
        """The whole source behind one fence, then the groups of the whole target; raises as ``fenced_read`` and pools do."""
        async with fenced_read(self._source, self._flow) as read:
            sorter = Sorter(self._flow, Fence(self._decoder.epoch, read.lsn))
            yield sorter.nothing()
            async for rows in read.pages():
                yield sorter.rows(rows)
        async with self._target.session() as session:
            page: list[str] = []
            async for group in target_groups(session, self._flow):
                page.append(group)
                if len(page) == GROUPS_PER_PAGE:
                    yield sorter.groups(page)
                    page = []
            yield sorter.groups(page)
