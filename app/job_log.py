"""Kafka as jobs need it: the worker's own producer, and a reader of logs that is in no group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile.broker import Command, Partition
from streams.log_reader import LogReader


@dataclass(frozen=True)
class JobLog:
    """Fulfils :class:`reconcile.broker.Broker`. ``producer`` gives aiokafka's, which the worker has when it has started."""

    reader: LogReader
    producer: Callable[[], Any]

    async def ends(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Partitions that do not exist are left out."""
        return await self.reader.ends_of_known(partitions)

    async def last_value(self, topic: str) -> bytes | None:
        """The value of the last record of a topic of one partition."""
        return await self.reader.last_value(topic)

    async def send(self, commands: Sequence[Command]) -> None:
        """Hand all over, then wait for all."""
        producer = self.producer()
        sent = [await producer.send(each.topic, each.value, each.key, each.partition) for each in commands]
        await asyncio.gather(*sent)
