"""What reconciliation needs of Kafka. Commands and workers have their own ways to it and fulfil this."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

#: Topic and number.
Partition = tuple[str, int]


@dataclass(frozen=True)
class Command:
    """A record of a flow's command topic."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Broker(Protocol):
    """All raise aiokafka's ``KafkaError``."""

    async def ends(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """The offset that the next record will get; partitions that do not exist are left out."""

    async def last_value(self, topic: str) -> bytes | None:
        """The value of the last record of a topic of one partition; none where there is none."""

    async def send(self, commands: Sequence[Command]) -> None:
        """Returns when all in-sync replicas have them."""
