"""Which rows of the targets are written inside a block, and by how many records the flows' logs grow."""

from collections import Counter
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from flows.registry import FLOWS
from flows.tables import Database
from sinks.provision import STATE_SCHEMA
from tests.support import source_history
from tests.support.kafka import end_offsets
from tests.support.platform import Platform


class TargetWrites:
    """Watches the platform's target tables; afterwards `rows` counts (table, operation), `records` counts topics."""

    def __init__(self, platform: Platform) -> None:
        self.rows: Counter[tuple[str, str]] = Counter()
        self.records: Counter[str] = Counter()
        self._platform = platform
        self._watched = ExitStack()

    def __enter__(self) -> Self:
        self._ends = end_offsets(self._platform.settings.kafka, *FLOWS)
        for database in Database:
            connection = self._watched.enter_context(self._platform.of(database).connect())
            tables = sorted(_targets(database))
            self._watched.callback(source_history.unwatch, connection, source_history.watch(connection, tables))
            self._watched.callback(self._count, connection, source_history.position(connection), tables)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._watched.close()
        for partition, end in end_offsets(self._platform.settings.kafka, *FLOWS).items():
            self.records[partition[0]] += end - self._ends[partition]

    def _count(self, connection: source_history.Connection, since: int, tables: list[str]) -> None:
        self.rows.update(write for write in source_history.writes(connection, since) if write[0] in tables)


def _targets(database: Database) -> set[str]:
    tables = {table for flow in FLOWS for table in (flow.target.table, *(side.table for side in flow.side_tables))}
    return {table.qualified for table in tables if table.database is database and table.schema != STATE_SCHEMA}
