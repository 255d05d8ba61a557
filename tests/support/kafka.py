"""The broker as tests see it: how far logs reach, sending any bytes, deleting topics."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from cli.broker import OutgoingRecord, log_ranges, send
from flows.model import Flow
from settings import Kafka
from streams.log_reader import LogReader
from tests.support.waiting import eventually

INTERNAL = ("connect-", "__consumer_offsets", "__transaction_state", "__share_group_state")


def end_offsets(kafka: Kafka, *flows: Flow) -> dict[tuple[str, int], int]:
    """Return the end of every partition that the flows read."""
    wanted = [(topic, number) for flow in flows for topic in flow.topics for number in range(flow.partitions)]
    return {partition: log.end for partition, log in asyncio.run(log_ranges(kafka, wanted)).items()}


def last_value(kafka: Kafka, topic: str) -> bytes | None:
    """Return the value of the last record of a topic of one partition; none while the topic is empty or not there."""
    return asyncio.run(_last_value(kafka, topic)) if topic in topics(kafka) else None


def produce(
    kafka: Kafka,
    topic: str,
    partition: int,
    key: bytes | None,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]] = (),
) -> int:
    """Append one record as it is and return its offset."""
    return asyncio.run(send(kafka, OutgoingRecord(topic, partition, key, value, headers)))


def delete_topics(kafka: Kafka, wanted: Callable[[str], bool]) -> None:
    """Delete the topics whose names are wanted and return when they are gone."""
    asyncio.run(_delete(kafka, wanted))
    eventually(lambda: not list(filter(wanted, topics(kafka))), "topics are deleted", within=20)


def topics(kafka: Kafka) -> list[str]:
    """List the names of all topics."""
    return asyncio.run(_topics(kafka))


def ours(topic: str) -> bool:
    """Whether a topic belongs to the product, and not to Kafka or Connect."""
    return not topic.startswith(INTERNAL)


async def read_back(kafka: Kafka, partitions: Collection[TopicPartition]) -> AsyncIterator[Any]:
    """Every record that partitions hold, up to their ends as they are now."""
    consumer = AIOKafkaConsumer(**kafka.client_options(), enable_auto_commit=False, max_partition_fetch_bytes=2**24)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield record
    finally:
        await consumer.stop()


async def _last_value(kafka: Kafka, topic: str) -> bytes | None:
    reader = LogReader(kafka.client_options())
    try:
        end = (await reader.end_offsets([(topic, 0)]))[topic, 0]
        found = await reader.records_at({(topic, 0): end - 1}) if end else {}
    finally:
        await reader.stop()
    return found[topic, 0].value if found else None


async def _topics(kafka: Kafka) -> list[str]:
    admin = AIOKafkaAdminClient(**kafka.client_options())
    await admin.start()
    try:
        names: Iterable[str] = await admin.list_topics()
        return list(names)
    finally:
        await admin.close()


async def _delete(kafka: Kafka, wanted: Callable[[str], bool]) -> None:
    admin = AIOKafkaAdminClient(**kafka.client_options())
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if wanted(name)]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()
