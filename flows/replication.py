"""What logical replication carries out of a source database: tables and columns, merged over the flows."""

from collections.abc import Iterable
from dataclasses import dataclass

from flows.model import CapturedFlow, Flow
from flows.tables import Database, DefinitionError, Table


@dataclass(frozen=True)
class CapturedTable:
    """A table that the connector reads: nothing but ``columns`` leaves the database, keyed by ``message_key``."""

    table: Table
    columns: tuple[str, ...]
    message_key: str
    partitions: int
    replica_identity_full: bool

    @property
    def topic(self) -> str:
        """Where the connector writes the table's changes."""
        return f"{self.table.database.value}.{self.table.qualified}"


def replication_name(database: Database) -> str:
    """Return the one name of connector, publication and replication slot of a source."""
    return f"sync_{database.value}"


def heartbeat_table(database: Database) -> CapturedTable:
    """Return the table that the connector writes itself, so that an idle source still moves its slot on."""
    return CapturedTable(Table(database, "sync", "heartbeat"), ("id", "beat_at"), "id", 1, replica_identity_full=False)


def captured_tables(database: Database, flows: Iterable[Flow]) -> tuple[CapturedTable, ...]:
    """Return the flows' source tables in that database and its heartbeat; nothing when no flow reads from it.

    Raises :class:`DefinitionError` when two flows want different keys or partition counts of one table.
    """
    readers: dict[Table, list[CapturedFlow]] = {}
    for flow in flows:
        if isinstance(flow, CapturedFlow) and flow.source.table.database is database:
            readers.setdefault(flow.source.table, []).append(flow)
    if not readers:
        return ()
    return (*(_merged(table, group) for table, group in readers.items()), heartbeat_table(database))


def _merged(table: Table, flows: list[CapturedFlow]) -> CapturedTable:
    shapes = {(flow.source.message_key, flow.partitions) for flow in flows}
    if len(shapes) > 1:
        names = ", ".join(flow.name for flow in flows)
        raise DefinitionError(f"flows {names} read {table.qualified} with different message keys or partition counts")
    message_key, partitions = shapes.pop()
    return CapturedTable(
        table,
        tuple(dict.fromkeys(column.name for flow in flows for column in flow.source.columns)),
        message_key,
        partitions,
        any(flow.source.replica_identity_full for flow in flows),
    )
