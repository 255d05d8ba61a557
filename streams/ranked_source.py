"""Rows of a ranked flow's source table as entries, by partition."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from uuid import UUID

import msgspec

from flows.model import RankedFlow
from schemas.debezium import row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord
from sinks.source_rows import SourceRow
from streams.ranked_decoding import row_builder
from streams.source_pass import Sort
from tables.candidates import Change
from tables.entry import GROUP, Version, entry_key

#: The partition of a group costs more than the rest of its row; groups come again, mostly soon.
REMEMBERED_GROUPS: Final = 10_000


@dataclass
class Part:
    """What a page of the source holds for one partition.

    ``changes`` have the fence as their version. ``spared`` are keys whose entries must stay as they are: of rows that changed
    after the fence, whose events follow, and of bad rows, whose last good version stands.
    """

    changes: list[Change] = field(default_factory=list)
    spared: set[bytes] = field(default_factory=set)


class EntrySorter:
    """Makes entries of the rows that were read behind one fence, and sorts them by partition."""

    def __init__(self, flow: RankedFlow, fence: Version) -> None:
        self._flow = flow
        self._decode = row_decoder(flow)
        self._build = row_builder(flow, fence, int(time.time() * 1e6))
        self._partition_of = lru_cache(REMEMBERED_GROUPS)(self._partition)

    def sort(self, page: list[SourceRow]) -> Mapping[int, Part]:
        """The parts of a page."""
        parts: dict[int, Part] = defaultdict(Part)
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


def entry_sorter(flow: RankedFlow, fence: Version) -> Sort[Part]:
    """A function that takes pages apart."""
    return EntrySorter(flow, fence).sort
