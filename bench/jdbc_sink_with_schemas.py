"""The same JDBC sink on records that carry their schemas: what it gets where nothing else was set up.

Debezium itself writes these records to a second topic, in a snapshot of the source table: the same rows, five times the bytes.
"""

import asyncio
from dataclasses import dataclass, field
from typing import ClassVar

import httpx
from aiokafka.admin import AIOKafkaAdminClient

from bench.backlog import Backlog, read_backlog
from bench.jdbc_sink import JdbcSink
from bench.stage import Stage
from cli.connect_rest import connect_rest
from cli.connectors import connector_configurations
from cli.topics import ensure_topics
from flows.replication import replication_name
from schemas.topics import Topic

PREFIX = "with-schemas"
CONNECTOR = "bench-with-schemas"


@dataclass
class JdbcSinkWithSchemas(JdbcSink):
    """The sink on a topic of its own, which exists from :meth:`prepare` to :meth:`clear`."""

    name: ClassVar = "jdbc sink, schemas in records"
    copies: list[Backlog] = field(default_factory=list)

    @property
    def topic(self) -> str:
        """Return the name that Debezium gives it."""
        return f"{PREFIX}.{self.flow.source.table.qualified}"

    def schema_source(self) -> dict[str, str | int]:
        """Return nothing: the schemas are in the records."""
        return {}

    def prepare(self, stage: Stage) -> None:
        """Make the table, and have Debezium write the topic."""
        super().prepare(stage)
        asyncio.run(ensure_topics(stage.settings.kafka, [Topic(self.topic, self.flow.partitions)]))
        with connect_rest(stage.settings.connect) as rest:
            rest.apply(CONNECTOR, self._source(stage))
        self.copies.append(read_backlog(stage, self.flow, self.topic, "r"))
        httpx.delete(f"{stage.settings.connect.url}/connectors/{CONNECTOR}").raise_for_status()
        stage.say(f"{self.name}: about {self.copies[-1].mean_bytes:,} bytes each")

    def finished(self, stage: Stage, backlog: Backlog) -> bool:  # noqa: ARG002 its own topic has other last records
        """Look for the last row of every partition of its own topic."""
        return super().finished(stage, self.copies[-1])

    def clear(self, stage: Stage) -> None:
        """Drop table and topic."""
        super().clear(stage)
        asyncio.run(_delete(stage, self.topic))

    def _source(self, stage: Stage) -> dict[str, str]:
        """Derive the connector from the flow's: a snapshot and no more, with schemas."""
        database = self.flow.source.table.database
        changed = {
            "topic.prefix": PREFIX,
            "table.include.list": self.flow.source.table.qualified,
            "snapshot.mode": "initial_only",
            "slot.name": "bench_with_schemas",
            "heartbeat.interval.ms": "0",
            "value.converter.schemas.enable": "true",
        }
        usual = connector_configurations(stage.settings)[replication_name(database)]
        return {name: value for name, value in usual.items() if name != "heartbeat.action.query"} | changed


async def _delete(stage: Stage, topic: str) -> None:
    admin = AIOKafkaAdminClient(**stage.settings.kafka.client_options())
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
