"""Kafka as the command needs it: the reader of logs that workers use, and a producer, both for as long as the command runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from reconcile.broker import Command, Partition
from schemas.connector import RECORD_BYTES
from settings import Kafka
from streams.log_reader import LogReader


class KafkaLog:
    """See :class:`~reconcile.broker.Broker`."""

    def __init__(self, reader: LogReader, producer: AIOKafkaProducer) -> None:
        self.reader, self._producer = reader, producer

    async def ends(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Ask for the ends of partitions that exist."""
        return await self.reader.ends_of_known(partitions)

    async def last_value(self, topic: str) -> bytes | None:
        """Read the last record of partition 0."""
        return await self.reader.last_value(topic)

    async def send(self, commands: Sequence[Command]) -> None:
        """Send all, then wait for all."""
        sent = [
            await self._producer.send(each.topic, each.value, each.key, each.partition, headers=list(each.headers))
            for each in commands
        ]
        await asyncio.gather(*sent)


@asynccontextmanager
async def kafka_log(kafka: Kafka) -> AsyncIterator[KafkaLog]:
    """Open both inside the block; raises ``KafkaError``."""
    client = kafka.client_options()
    reader = LogReader(client)
    producer = AIOKafkaProducer(**client, acks="all", enable_idempotence=True, max_request_size=RECORD_BYTES)
    try:  # also when it cannot start, it has to be stopped
        await producer.start()
        yield KafkaLog(reader, producer)
    finally:
        await producer.stop()
        await reader.stop()
