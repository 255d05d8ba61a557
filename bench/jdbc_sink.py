"""Debezium's JDBC sink as a contender: one standalone Connect worker with nothing else in it.

The sink needs records with a schema. Connect's JSON converter is given the schema of the fields that are written
(``schema.content``), so that the sink reads the same bytes as everybody and parses less.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from bench.peer import Peer
from bench.peer_table import PeerTable
from bench.peers import jdbc_sink_plugins
from bench.process import Launch
from bench.stage import Stage
from flows.model import CapturedFlow
from stack.jars import DEFAULT_JARS, Jars
from stack.java import java_command, write_properties
from stack.ports import LOOPBACK

CONVERTER = "org.apache.kafka.connect.json.JsonConverter"

# As the connector writes them; everything else is a text.
_CONNECT_TYPES = {"bigint": "int64", "integer": "int32", "smallint": "int16", "boolean": "boolean"}

_TUNED: dict[str, str | int] = {
    "batch.size": 2000,
    "use.reduction.buffer": "true",
    "dialect.postgres.unnest.insert": "true",
    "consumer.override.max.poll.records": 5000,
    "consumer.override.max.partition.fetch.bytes": 4 * 2**20,
    "consumer.override.auto.offset.reset": "earliest",
}


@dataclass
class JdbcSink(Peer):
    """debezium-connector-jdbc. ``jars``: the cache of the stack's jars."""

    name: ClassVar = "jdbc sink"
    jars: Path = field(default=DEFAULT_JARS)

    @property
    def table(self) -> PeerTable:
        """All columns in the source's types."""
        return PeerTable(self.flow, "jdbc_sink")

    @property
    def password(self) -> str:
        """The variable that holds the password of its target."""
        return f"SYNC_{self.flow.target.table.database.value.upper()}__PASSWORD"

    @property
    def topic(self) -> str:
        """What it reads."""
        return self.flow.topic

    def schema_source(self) -> dict[str, str | int]:
        """Return the converter's properties that say where the schema comes from."""
        return {"value.converter.schema.content": json.dumps(envelope_schema(self.flow))}

    def launch(self, stage: Stage) -> Launch:
        """Write the configurations, without the password, and compose the command."""
        worker, sink = (stage.stack.folder.config / f"jdbc-{part}.properties" for part in ("worker", "sink"))
        write_properties(worker, self._worker(stage))
        write_properties(sink, self._sink(stage))
        main = "org.apache.kafka.connect.cli.ConnectStandalone"
        return Launch(java_command(Jars(self.jars.absolute()), main, [str(worker), str(sink)]))

    def _worker(self, stage: Stage) -> dict[str, str | int]:
        return {
            "bootstrap.servers": stage.settings.kafka.bootstrap_servers,
            "listeners": f"http://{LOOPBACK}:{stage.stack.ports.reserve('jdbc-sink')}",
            "plugin.path": str(jdbc_sink_plugins(self.jars, stage.say)),
            "plugin.discovery": "service_load",
            "key.converter": CONVERTER,
            "value.converter": CONVERTER,
            "offset.storage.file.filename": str(stage.stack.folder.data(f"{self.group}.offsets")),
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "config.providers.env.param.allowlist.pattern": self.password,
        }

    def _sink(self, stage: Stage) -> dict[str, str | int]:
        target = stage.address_of(self.flow.target.table.database)
        address = f"{target.host}:{target.port}/{target.dbname}"
        return {
            "name": self.group,
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "tasks.max": 1,
            "topics": self.topic,
            # The columns are of the source's types, the values texts: the server converts them.
            "connection.url": f"jdbc:postgresql://{address}?stringtype=unspecified&reWriteBatchedInserts=true",
            "connection.username": target.user,
            "connection.password": f"${{env:{self.password}}}",
            "collection.name.format": self.table.qualified,
            "insert.mode": "upsert",
            "primary.key.mode": "record_value",
            "primary.key.fields": self.table.key,
            "schema.evolution": "none",
            "key.converter": CONVERTER,
            "key.converter.schemas.enable": "false",
            "value.converter": CONVERTER,
            "value.converter.schemas.enable": "true",
            **self.schema_source(),
            **_TUNED,
        }


def envelope_schema(flow: CapturedFlow) -> dict[str, Any]:
    """Compose Connect's schema of a change, cut down to what the sink uses: operation and new row."""
    row = {
        "type": "struct",
        "optional": True,
        "field": "after",
        "name": f"{flow.topic}.Value",
        "fields": [
            {
                "field": column.name,
                "type": _CONNECT_TYPES.get(column.sql_type.base, "string"),
                "optional": not column.required,
            }
            for column in flow.source.columns
        ],
    }
    operation = {"field": "op", "type": "string", "optional": False}
    return {"type": "struct", "optional": True, "name": f"{flow.topic}.Envelope", "fields": [row, operation]}
