"""Make the topics that the flows need; change none that exists."""

from collections.abc import Iterable
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from schemas.topics import Topic
from settings import Kafka
from sinks.operations.audit import RefusedError

_NO_ERROR: Final = 0


async def ensure_topics(kafka: Kafka, topics: Iterable[Topic]) -> list[str]:
    """Create what is missing and return the names; raises :class:`RefusedError` for a wrong number of partitions."""
    admin = AIOKafkaAdminClient(**kafka.client_options())
    try:
        await admin.start()
        existing = {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}
        topics = tuple(topics)
        _refuse_other_counts(topics, existing)
        return await _create(admin, [topic for topic in topics if topic.name not in existing], kafka.replication_factor)
    finally:
        await admin.close()


def _refuse_other_counts(topics: Iterable[Topic], existing: dict[str, int]) -> None:
    """Keys would change their partitions, and with them their order: nothing that could be put right in passing."""
    problems = [
        f"topic {topic.name} has {existing[topic.name]} partitions, the flow says {topic.partitions}"
        for topic in topics
        if existing.get(topic.name, topic.partitions) != topic.partitions
    ]
    if problems:
        raise RefusedError("; ".join(problems) + ": give the flow that number, or delete the topic and start it afresh")


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic], replication_factor: int) -> list[str]:
    if not topics:
        return []
    answer: Any = await admin.create_topics(
        [NewTopic(topic.name, topic.partitions, replication_factor, topic_configs=dict(topic.configuration)) for topic in topics]
    )
    for name, code, *text in answer.topic_errors:
        if code not in (_NO_ERROR, TopicAlreadyExistsError.errno):
            raise RefusedError(f"topic {name} cannot be created: {for_code(code).__name__} {' '.join(map(str, text))}")
    return [topic.name for topic in topics]
