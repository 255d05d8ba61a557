"""Looks at the log without being a member of the group: its ends, and single records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.batches import Record

Partition = tuple[str, int]


class LogReader:
    """One plain consumer, used by one caller at a time. Errors are aiokafka's ``KafkaError``."""

    def __init__(self, client: Mapping[str, Any]) -> None:
        self._client = client
        self._consumer: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **self._client,
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",  # Records that the log has dropped: the first that it still has.
                max_partition_fetch_bytes=2**16,
                fetch_max_wait_ms=50,
            )
            logging.getLogger("aiokafka.consumer.subscription_state").setLevel(logging.WARNING)  # it tells of every seek
            try:
                await consumer.start()
            except BaseException:
                await consumer.stop()  # it holds connections and tasks although it did not start
                raise
            self._consumer = consumer
        return self._consumer

    async def existing(self, topics: Iterable[str]) -> set[str]:
        """Those of the topics that the broker has: to ask for the ends of others would wait for them."""
        async with self._turn:
            consumer = await self._started()
            known: set[str] = await consumer.topics()
        return known.intersection(topics)

    async def start_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The first offset that the log still has."""
        async with self._turn:
            consumer = await self._started()
            found = await consumer.beginning_offsets([TopicPartition(*partition) for partition in partitions])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def end_offsets(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The offset that the next record will get."""
        async with self._turn:
            consumer = await self._started()
            found = await consumer.end_offsets([TopicPartition(*partition) for partition in partitions])
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def ends_of_known(self, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """As :meth:`end_offsets`; partitions of topics that do not exist are left out."""
        async with self._turn:
            known = await (await self._started()).topics()
        return await self.end_offsets([each for each in partitions if each[0] in known])

    async def last_value(self, topic: str) -> bytes | None:
        """The value of the last record of a topic of one partition; none where there is none, or it does not come in time."""
        place = (topic, 0)
        if not (end := (await self.ends_of_known([place])).get(place, 0)):
            return None
        with suppress(TimeoutError):
            return (await self.records_at({place: end - 1}))[place].value
        return None

    async def records_at(self, offsets: Mapping[Partition, int], timeout: float = 10.0) -> dict[Partition, Record]:
        """The first record at or after each offset; the log must reach that far. Raises ``TimeoutError``."""
        if not offsets:
            return {}
        async with self._turn:
            consumer = await self._started()
            wanted = {TopicPartition(*partition): offset for partition, offset in offsets.items()}
            consumer.assign(list(wanted))
            for tp, offset in wanted.items():
                consumer.seek(tp, offset)
            async with asyncio.timeout(timeout):
                return await self._collect(consumer, set(wanted))

    async def _collect(self, consumer: AIOKafkaConsumer, missing: set[TopicPartition]) -> dict[Partition, Record]:
        found: dict[Partition, Record] = {}
        while missing:
            for tp, records in (await consumer.getmany(*missing, timeout_ms=200)).items():
                found[(tp.topic, tp.partition)] = records[0]
                missing.discard(tp)
        return found

    async def range(self, partition: Partition, offsets: range, timeout: float = 10.0) -> list[Record]:
        """The records of a short range that the log must reach beyond."""
        found: list[Record] = []
        next_offset = offsets.start
        async with self._turn, asyncio.timeout(timeout):
            consumer = await self._started()
            tp = TopicPartition(*partition)
            consumer.assign([tp])
            consumer.seek(tp, offsets.start)
            while next_offset < offsets.stop:
                for records in (await consumer.getmany(tp, timeout_ms=200)).values():
                    found += [record for record in records if record.offset < offsets.stop]
                    next_offset = records[-1].offset + 1
        return found

    async def stop(self) -> None:
        """Leave the broker."""
        if self._consumer is not None:
            await self._consumer.stop()
            self._consumer = None
