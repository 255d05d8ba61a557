"""What commands ask of Kafka: how far its logs reach, and sending a record again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from schemas.connector import RECORD_BYTES
from settings import Kafka
from sinks.operations.positions import LogRange

Partition = tuple[str, int]

_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True)
class OutgoingRecord:
    """A record for one partition, with its bytes as they are."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


async def log_ranges(kafka: Kafka, partitions: Collection[Partition]) -> dict[Partition, LogRange]:
    """Ask how far the logs reach; partitions that the broker does not have are left out."""
    consumer = AIOKafkaConsumer(**kafka.client_options(), enable_auto_commit=False, request_timeout_ms=_TIMEOUT_MS)
    try:  # also when it cannot start, it has to be stopped
        await consumer.start()
        known = await consumer.topics()
        asked = [TopicPartition(*each) for each in partitions if each[0] in known]
        starts, ends = await consumer.beginning_offsets(asked), await consumer.end_offsets(asked)
    finally:
        await consumer.stop()
    return {(tp.topic, tp.partition): LogRange(starts[tp], ends[tp]) for tp in asked}


async def send(kafka: Kafka, record: OutgoingRecord) -> int:
    """Write one record and return its offset when all in-sync replicas have it."""
    producer = AIOKafkaProducer(**kafka.client_options(), acks="all", enable_idempotence=True, max_request_size=RECORD_BYTES)
    try:
        await producer.start()
        sent: Any = await producer.send_and_wait(
            record.topic, record.value, record.key, partition=record.partition, headers=list(record.headers)
        )
    finally:
        await producer.stop()
    offset: int = sent.offset
    return offset
