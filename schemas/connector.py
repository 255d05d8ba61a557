"""The configuration of a source's Debezium connector, derived from the flows that read from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows.model import Flow
from flows.replication import CapturedTable, captured_tables, heartbeat_table, replication_name
from flows.tables import Database

# Stands for a column that PostgreSQL left out of an update because its TOASTed value did not change. Random, so that no
# text of a row is taken for it.
TOAST_PLACEHOLDER: Final = "__unchanged_toast_8d1f6c0ba94e47d2b35a7e90c412f86d"

RECORD_BYTES: Final = 16 * 2**20  # 1 MB of text is 2 MB of JSON under replica identity full; the limit leaves room
QUEUE_BYTES: Final = 4 * RECORD_BYTES  # what the connector may hold in memory, whatever the size of its records

_READING: Final = {
    "plugin.name": "pgoutput",
    "publication.autocreate.mode": "disabled",  # ours is made by `migrate`, with the tables of the flows and no others
    "snapshot.mode": "initial",
    "snapshot.fetch.size": "2000",
    "skipped.operations": "none",  # a TRUNCATE must reach the flow, which stops on it
    "offset.mismatch.strategy": "trust_offset",
    "provide.transaction.metadata": "false",
    "poll.interval.ms": "5",  # the default of 500 costs 250 ms on average
    "max.batch.size": "4096",
    "max.queue.size": "16384",
    "max.queue.size.in.bytes": str(QUEUE_BYTES),
    "slot.max.retries": "60",  # after a crash the old connection may hold the slot until the server notices
    "slot.retry.delay.ms": "2000",
    "retriable.restart.connector.wait.ms": "2000",
    "heartbeat.interval.ms": "5000",
}
_WRITING: Final = {
    "key.converter": "org.apache.kafka.connect.json.JsonConverter",
    "key.converter.schemas.enable": "false",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "decimal.handling.mode": "string",
    "time.precision.mode": "isostring",
    "unavailable.value.placeholder": TOAST_PLACEHOLDER,
    "tombstones.on.delete": "true",
    "errors.tolerance": "none",
    "producer.override.max.request.size": str(RECORD_BYTES),
    "producer.override.compression.type": "none",  # without a further package aiokafka reads gzip only: slow
}


@dataclass(frozen=True)
class SourceLogin:
    """How Debezium logs in. ``password_variable`` names a variable of the Connect worker's environment.

    The three files are those of the Connect worker's host; ``sslkey`` is PKCS-8 in DER, as the JDBC driver reads it.
    """

    host: str
    port: int
    dbname: str
    user: str
    password_variable: str
    sslmode: str
    sslrootcert: Path | None = None
    sslcert: Path | None = None
    sslkey: Path | None = None


def connector_configuration(database: Database, flows: Iterable[Flow], login: SourceLogin) -> dict[str, str]:
    """Every property of the connector, as ``PUT /connectors/<name>/config`` takes them; raises ``ValueError``.

    The password is a reference that the Connect worker resolves (``EnvVarConfigProvider``), never the password.
    """
    tables = captured_tables(database, flows)
    if not tables:
        raise ValueError(f"no flow reads from {database.value}: there is no connector to configure")
    name = replication_name(database)
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "topic.prefix": database.value,
        "publication.name": name,
        "slot.name": name,
        "heartbeat.action.query": _heartbeat_query(database),
        **_connection(login),
        **_selection(tables),
        **_READING,
        **_WRITING,
    }


def _heartbeat_query(database: Database) -> str:
    table = heartbeat_table(database).table.qualified
    return f"UPDATE {table} SET beat_at = now() WHERE id = 1"  # noqa: S608 a constant name


def _connection(login: SourceLogin) -> dict[str, str]:
    properties = {
        "database.hostname": login.host,
        "database.port": str(login.port),
        "database.dbname": login.dbname,
        "database.user": login.user,
        "database.password": f"${{env:{login.password_variable}}}",
        "database.sslmode": login.sslmode,
    }
    files = {"sslrootcert": login.sslrootcert, "sslcert": login.sslcert, "sslkey": login.sslkey}
    return properties | {f"database.{name}": str(path) for name, path in files.items() if path}


def _selection(tables: tuple[CapturedTable, ...]) -> dict[str, str]:
    names = [(captured.table.qualified, captured) for captured in tables]
    return {
        "table.include.list": ",".join(name for name, _ in names),
        "column.include.list": ",".join(f"{name}.{column}" for name, captured in names for column in captured.columns),
        "message.key.columns": ";".join(f"{name}:{captured.message_key}" for name, captured in names),
    }
