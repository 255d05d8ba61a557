"""A chunk: records of one partition, contiguous in offset, as the changes that they ask for.

Compact on purpose. What waits in a lane, and what a transaction works on, is this and not the records: half of their bytes.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from schemas.problems import BadRecord
from streams.batches import Record
from tables.entry import Version


class Change(Protocol):
    """A wanted state of one row; each kind of flow has its own."""

    @property
    def row_key(self) -> str:
        """How people name the row: its primary key."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...


#: Up to here a chunk costs less than its transaction, holds little memory, and mostly waits for the broker and the disk.
SMALL_RECORDS: Final = 200
SMALL_BYTES: Final = 256 * 1024
#: Source times that a fetch contributes to the latencies that people see.
_SAMPLED: Final = 50


@dataclass
class Chunk:
    """``changes[i]``, a :class:`Change`, belongs to the record at offset ``owners[i]``; other fields name records by offset.

    ``size`` in bytes. Timestamps are Kafka's, in ms; ``source_times`` a sample of the source's commits and ``source_time``
    their latest, in microseconds. ``originals``: the records of problems and of changes that may become one, or all of them
    where that was asked for. ``replays``: records that send a dead letter again, with its number. ``truncate``: the chunk is
    one TRUNCATE, of that version.
    """

    topic: str
    partition: int
    first_offset: int
    next_offset: int
    first_timestamp: int
    last_timestamp: int
    last_key_hash: int
    size: int = 0
    changes: list[Any] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    problems: dict[int, BadRecord] = field(default_factory=dict)
    originals: dict[int, Record] = field(default_factory=dict)
    tombstones: list[int] = field(default_factory=list)
    replays: dict[int, int] = field(default_factory=dict)
    source_times: list[int] = field(default_factory=list)
    source_time: int | None = None
    truncate: Version | None = None

    @classmethod
    def of(cls, records: Sequence[Record]) -> Chunk:
        """The frame of a chunk; the changes come later."""
        first, last = records[0], records[-1]
        return cls(
            first.topic,
            first.partition,
            first.offset,
            last.offset + 1,
            first.timestamp,
            last.timestamp,
            key_hash(last.key),
        )

    def __len__(self) -> int:
        return self.next_offset - self.first_offset

    @property
    def is_small(self) -> bool:
        """Whether what it comes to is hardly worth a transaction of its own."""
        return len(self) <= SMALL_RECORDS and self.size <= SMALL_BYTES

    @property
    def complete(self) -> bool:
        """Whether every original is here, so that parts can be decoded again."""
        return len(self.originals) == len(self)

    def add(self, offset: int, change: Change) -> None:
        """Add what the record at ``offset`` asks for; in order."""
        self.changes.append(change)
        self.owners.append(offset)

    def follows(self, other: Chunk) -> bool:
        """Whether the two can be merged into one, this one behind."""
        truncates = self.truncate is not None or other.truncate is not None
        return self.topic == other.topic and self.first_offset == other.next_offset and not truncates

    def extend(self, later: Chunk) -> None:
        """Merge with a chunk that follows this one."""
        self.next_offset = later.next_offset
        self.last_timestamp, self.last_key_hash = later.last_timestamp, later.last_key_hash
        self.size += later.size
        self.changes += later.changes
        self.owners += later.owners
        self.problems |= later.problems
        self.originals |= later.originals
        self.tombstones += later.tombstones
        self.replays |= later.replays
        self.source_times += later.source_times
        self.source_time = max(filter(None, (self.source_time, later.source_time)), default=None)

    def from_offset(self, offset: int) -> Chunk:
        """The part from ``offset`` on, which must leave something."""
        start = bisect_left(self.owners, offset)
        return Chunk(
            self.topic,
            self.partition,
            offset,
            self.next_offset,
            self.first_timestamp,
            self.last_timestamp,
            self.last_key_hash,
            self.size,
            self.changes[start:],
            self.owners[start:],
            {at: problem for at, problem in self.problems.items() if at >= offset},
            {at: record for at, record in self.originals.items() if at >= offset},
            [at for at in self.tombstones if at >= offset],
            {at: letter for at, letter in self.replays.items() if at >= offset},
            self.source_times,
            self.source_time,
            self.truncate,
        )

    def changes_between(self, low: int, high: int) -> list[Any]:
        """The changes of the records at offsets in ``low .. high - 1``."""
        return self.changes[bisect_left(self.owners, low) : bisect_left(self.owners, high)]

    def timed(self, times: list[int]) -> None:
        """Note commit times of the source: the latest, and an evenly spaced sample of many."""
        if times:
            self.source_time = max(times)
            self.source_times = times if len(times) <= _SAMPLED else times[:: len(times) // _SAMPLED]


def key_hash(key: bytes | None) -> int:
    """32 bits that tell whether a record at an offset is still the one that was applied."""
    return zlib.crc32(key or b"")
