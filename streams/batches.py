"""Whole fetches as single Faust events.

Faust's ``ConsumerScheduler`` setting decides what the agents see. Ours hands over the records that one fetch brought for a
topic as one record, so that Faust's cost per message, four tasks and several turns of the event loop, becomes a cost per fetch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
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
    """Imitates the last ``ConsumerRecord`` of one partition, with a list for a value.

    Of a changelog it is the list of its records; of a source the list of such lists, one for each partition of the topic.
    """

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

    def __init__(self, last: Record, value: list[Any]) -> None:
        self.topic = last.topic
        self.partition = last.partition
        self.offset = last.offset
        self.timestamp = last.timestamp
        self.timestamp_type = 0
        self.headers = ()
        self.key = None
        self.value = value
        self.checksum = None
        self.serialized_key_size = 0
        self.serialized_value_size = 0


def _everything(_: TP) -> bool:
    return True


class BatchScheduler(DefaultSchedulingStrategy):
    """One event per fetch for each of the :attr:`sources`, one per partition and fetch for :attr:`changelogs`, else per record.

    Faust takes a class and makes the instance, so the composition root sets the attributes on a subclass of its own before the
    app starts. ``is_read`` tells whether Faust still reads a partition: of others it drops the events. Changelogs are recovered
    partition by partition.
    """

    sources: frozenset[str] = frozenset()
    changelogs: frozenset[str] = frozenset()
    is_read: Callable[[TP], bool] = staticmethod(_everything)

    def iterate(self, records: Mapping[TP, list[Any]]) -> Iterator[tuple[TP, Any]]:
        """What Faust calls with every fetch."""
        single: dict[TP, list[Any]] = {}
        by_topic: dict[str, list[TP]] = defaultdict(list)
        for tp, fetched in records.items():
            if not fetched:
                continue
            if tp.topic in self.sources:
                by_topic[tp.topic].append(tp)
            elif tp.topic in self.changelogs:
                yield tp, RecordBatch(fetched[-1], fetched)
            else:
                single[tp] = fetched
        for tps in by_topic.values():
            yield from self._of_topic([(tp, records[tp]) for tp in tps if self.is_read(tp)])
        if single:
            yield from super().iterate(single)

    def _of_topic(self, fetched: list[tuple[TP, list[Any]]]) -> Iterator[tuple[TP, RecordBatch]]:
        """In the name of the first partition. Asked for just before it is delivered, so that this one is still read."""
        if fetched:
            tp, first = fetched[0]
            yield tp, RecordBatch(first[-1], [records for _, records in fetched])
