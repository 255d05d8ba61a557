"""Kafka as the reconciliation needs it: one consumer without a group and one producer, both for as long as the command runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from reconcile.broker import Command, Partition
from schemas.connector import RECORD_BYTES
from settings import Kafka

_TIMEOUT_MS: Final = 10_000
_FETCH_MS: Final = 500


class KafkaLog:
    """See :class:`~reconcile.broker.Broker`."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        self._consumer, self._producer = consumer, producer

    async def ends(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Ask for the ends of partitions that exist."""
        known = await self._consumer.topics()
        asked = [TopicPartition(*each) for each in partitions if each[0] in known]
        return {(tp.topic, tp.partition): end for tp, end in (await self._consumer.end_offsets(asked)).items()}

    async def last_value(self, topic: str) -> bytes | None:
        """Read the last record of partition 0."""
        place = TopicPartition(topic, 0)
        end = (await self.ends([(topic, 0)])).get((topic, 0), 0)
        if not end:
            return None
        self._consumer.assign([place])
        self._consumer.seek(place, end - 1)
        found = await self._consumer.getmany(place, timeout_ms=_FETCH_MS)
        value: bytes | None = found[place][-1].value if found.get(place) else None
        return value

    async def send(self, commands: Sequence[Command]) -> None:
        """Send all, then wait for all."""
        sent = [await self._producer.send(each.topic, each.value, each.key, each.partition) for each in commands]
        await asyncio.gather(*sent)


@asynccontextmanager
async def kafka_log(kafka: Kafka) -> AsyncIterator[KafkaLog]:
    """Open both inside the block; raises ``KafkaError``."""
    client = kafka.client_options()
    consumer = AIOKafkaConsumer(
        **client, enable_auto_commit=False, request_timeout_ms=_TIMEOUT_MS, fetch_max_wait_ms=50, auto_offset_reset="earliest"
    )
    producer = AIOKafkaProducer(**client, acks="all", enable_idempotence=True, max_request_size=RECORD_BYTES)
    try:  # also when one cannot start, both have to be stopped
        await consumer.start()
        await producer.start()
        yield KafkaLog(consumer, producer)
    finally:
        await producer.stop()
        await consumer.stop()
