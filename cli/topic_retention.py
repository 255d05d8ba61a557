"""How long Kafka keeps what it has been given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from settings import Kafka

_FOR_GOOD: Final = 2**62  # what Kafka has for "no limit" is greater


@dataclass(frozen=True)
class TopicRetention:
    """``until``: by then a record that is in the topic now is gone, at the latest; ``None``: it is kept for good."""

    topic: str
    until: datetime | None


async def topic_retentions(kafka: Kafka, topics: Collection[str]) -> list[TopicRetention]:
    """Ask for topics that exist, in order; raises ``KafkaError``."""
    admin = AIOKafkaAdminClient(**kafka.client_options())
    try:
        await admin.start()
        known = sorted(set(topics) & set(await admin.list_topics()))
        answers: Any = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in known])
    finally:
        await admin.close()
    now = datetime.now(UTC)
    found = {name: _settings(entries) for answer in answers for *_, name, entries in answer.resources}
    return [TopicRetention(name, _until(now, found[name])) for name in known]


def _settings(entries: Any) -> dict[str, str]:
    return {name: value for name, value, *_ in entries}


def _until(now: datetime, settings: dict[str, str]) -> datetime | None:
    """A segment goes when its last record is old enough, which may be as much younger as a segment is open.

    Of a compacted topic: what was deleted or replaced is gone when it must be compacted, and nothing is said of the rest.
    """
    if settings["cleanup.policy"] == "compact":
        kept, open_for = int(settings["max.compaction.lag.ms"]), 0
    else:
        kept, open_for = int(settings["retention.ms"]), int(settings["segment.ms"])
    return now + timedelta(milliseconds=kept + open_for) if 0 <= kept < _FOR_GOOD else None
