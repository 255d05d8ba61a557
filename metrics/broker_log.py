"""The broker's log as far as metrics read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

Partition = tuple[str, int]


class Record(Protocol):
    """A record. ``timestamp``: Kafka's, in ms."""

    timestamp: int
    value: bytes | None


class Log(Protocol):
    """Each raises ``KafkaError`` or ``TimeoutError``."""

    async def existing(self, topics: Iterable[str]) -> set[str]:
        """Those of the topics that the broker has."""
        ...

    async def start_offsets(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """The first offset that the log still has."""
        ...

    async def end_offsets(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """The offset that the next record will get."""
        ...

    async def records_at(self, offsets: Mapping[Partition, int], timeout: float) -> Mapping[Partition, Record]:
        """The first record at or after each offset; the log must reach that far. ``timeout`` in seconds."""
        ...
