"""The topics that must exist before a connector or a worker starts, derived from the flows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from flows.callback_model import Callback
from flows.callback_registry import CALLBACKS
from flows.model import Flow, RankedFlow
from flows.replication import captured_tables
from flows.tables import Database
from schemas.connector import RECORD_BYTES

# The longest outage that events survive on their own; beyond it a flow is rebuilt from its source.
RETENTION: Final = timedelta(days=7)

_CONFIGURATION: Final = {
    "cleanup.policy": "delete",  # compaction would drop versions that a replay needs
    "retention.ms": str(RETENTION // timedelta(milliseconds=1)),
    "max.message.bytes": str(RECORD_BYTES),
}


@dataclass(frozen=True)
class Topic:
    """A topic, its partitions and the settings that differ from the broker's."""

    name: str
    partitions: int
    configuration: Mapping[str, str] = field(default_factory=lambda: dict(_CONFIGURATION))


def source_topics(database: Database, flows: Iterable[Flow]) -> tuple[Topic, ...]:
    """Return the topics that the connector of a source writes: one per table, and its own heartbeat."""
    tables = captured_tables(database, flows)
    topics = tuple(Topic(each.topic, each.partitions) for each in tables)
    return (*topics, Topic(f"__debezium-heartbeat.{database.value}", 1)) if topics else ()


def command_topics(flows: Iterable[Flow]) -> tuple[Topic, ...]:
    """Return each flow's topic for repairs and replays, partitioned as its source topic, so that keys stay together."""
    return tuple(Topic(flow.command_topic, flow.partitions) for flow in flows)


def callback_topics(callbacks: Iterable[Callback]) -> tuple[Topic, ...]:
    """Return the topics that the intake of callbacks writes."""
    return tuple(Topic(callback.topic, callback.partitions) for callback in callbacks)


def changelog_topic(application: str, flow: RankedFlow) -> str:
    """Return the name that Faust gives to the changelog of the flow's candidates."""
    return f"{application}-{flow.candidates}-changelog"


def all_topics(flows: Iterable[Flow], callbacks: Iterable[Callback] = CALLBACKS) -> tuple[Topic, ...]:
    """Return every topic of the flows and of the callbacks."""
    flows = tuple(flows)
    sources = (topic for database in Database for topic in source_topics(database, flows))
    return (*sources, *command_topics(flows), *callback_topics(callbacks))
