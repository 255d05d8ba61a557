"""Whole fetches as single Faust events.

Faust's ``ConsumerScheduler`` setting decides what the agents see. Ours hands over the list of records that one fetch
brought for a partition as one record, so that Faust's cost per message becomes a cost per fetch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from faust.transport.utils import DefaultSchedulingStrategy
from faust.types import TP


class Record(Protocol):
    """The part of aiokafka's ``ConsumerRecord`` that we read. ``timestamp`` in ms since 1970."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Any


class RecordBatch:
    """Imitates a ``ConsumerRecord`` whose value is the list of records fetched; the offset is the last one's."""

    __slots__ = (
        "checksum",
        "headers",
        "key",
        "offset",
        "partition",
        "serialized_key_size",
        "serialized_value_size",
        "timestamp",
        "timestamp_type",
        "topic",
        "value",
    )

    def __init__(self, records: list[Record]) -> None:
        first, last = records[0], records[-1]
        self.topic = first.topic
        self.partition = first.partition
        self.offset = last.offset
        self.timestamp = first.timestamp
        self.timestamp_type = 0
        self.headers = ()
        self.key = None
        self.value = records
        self.checksum = None
        self.serialized_key_size = 0
        self.serialized_value_size = 0


class BatchScheduler(DefaultSchedulingStrategy):
    """One event per partition and fetch for the topics in :attr:`batched`; record by record for all others."""

    #: Topics whose consumers expect batches: sources and changelogs. Faust takes a class and makes the instance, so the
    #: composition root sets this on a subclass of its own before the app starts.
    batched: frozenset[str] = frozenset()

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        """What Faust calls with every fetch."""
        single: dict[TP, list[Any]] = {}
        for tp, fetched in records.items():
            if tp.topic not in self.batched:
                single[tp] = fetched
            elif fetched:
                yield tp, RecordBatch(fetched)
        if single:
            yield from super().iterate(single)
