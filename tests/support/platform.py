"""The product beside all tables of the platform, in both databases."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from functools import partial

from cli.migrate import migrate_databases
from cli.topics import ensure_topics
from demo.databases import DatabaseName, apply_schema
from demo.history import HISTORIES, Past, Sizes, load_tables
from demo.population import Population
from flows.model import CapturedFlow, Flow
from flows.registry import FLOWS
from flows.tables import Database
from schemas.topics import all_topics
from tests.oracle.golden_records import CITIZENS, GOLDEN_RECORDS
from tests.support import source_history
from tests.support.databases import Administrator
from tests.support.flow_oracles import (
    Connection,
    Difference,
    compare_application_events,
    compare_merged_golden_records,
    compare_notifications,
    compare_rows,
)
from tests.support.installation import Installation
from tests.support.kafka import end_offsets
from tests.support.ledger import LedgerRow, Partition, discrepancies, lag, ledger_rows
from tests.support.streamed import wait_until_streamed
from tests.support.waiting import absent, eventually

SETTLE_SECONDS = 120.0
MOST_HOPS = 6  # far more than there are
WATCHED = {
    Database.WAREHOUSE: ["decision.applications", GOLDEN_RECORDS],
    Database.CITIZEN: [CITIZENS, "public.documents", "public.service_applications"],
}

OPENED = """
SELECT count(*) FROM sync.worker, jsonb_array_elements(state->'partitions') AS partition
WHERE (state->>'pid')::int = ANY(%s) AND partition->>'state' = 'open'
"""


class Platform(Installation):
    """One life of the product. Changes of the tables WATCHED are logged from the first on, for oracles of history."""

    def fill(self, families: int, sizes: Sizes) -> None:
        """Wipe what an earlier life left, then make the platform's tables and their history."""
        self._wipe()
        self.population = Population(1, families)
        past = Past(self.population, sizes, datetime.now(UTC))
        for database, tables in WATCHED.items():
            name = DatabaseName(database.value)
            with self.of(database).connect() as connection:
                apply_schema(connection, name)
                source_history.watch(connection, tables)
                load_tables(connection, [each for each in HISTORIES if each.database is name], past)
        with self.warehouse.connect() as warehouse:
            self._before_notices = source_history.position(warehouse)

    def begin_empty(self) -> None:
        """Wipe what an earlier life left, then make empty tables, ours too, and every topic; no connector."""
        self._wipe()
        for name in DatabaseName:
            with self.of(Database(name.value)).connect() as connection:
                apply_schema(connection, name)
        migrate_databases(self.settings)
        asyncio.run(ensure_topics(self.settings.kafka, all_topics(FLOWS)))

    def of(self, database: Database) -> Administrator:
        """Return the administrator of a database."""
        return {Database.WAREHOUSE: self.warehouse, Database.CITIZEN: self.citizen}[database]

    def target_of(self, flow: Flow) -> Administrator:
        """Return the administrator of the flow's target."""
        return self.of(flow.target.table.database)

    def ends_of(self, flow: Flow) -> dict[Partition, int]:
        """Return how far the flow's logs reach."""
        return end_offsets(self.settings.kafka, flow)

    def ledger_of(self, flow: Flow) -> dict[Partition, LedgerRow]:
        """Return the flow's positions and counts."""
        return ledger_rows(self.target_of(flow), flow.name)

    def letters(self) -> dict[Database, int]:
        """Return how many dead letters were ever written."""
        return {database: self.of(database).value("SELECT count(*) FROM sync.dead_letter") for database in Database}

    def settle_all(self) -> None:
        """Return when all that was committed in the sources is in the logs, and all that is in the logs in the ledgers."""
        for database in Database:
            wait_until_streamed(self.settings.kafka, database, self.of(database), SETTLE_SECONDS)
        for flow in FLOWS:
            self.wait_until_level(flow)

    def fall_silent(self) -> None:
        """Return when nothing is on its way any more: all is applied, and what that wrote brought no further record."""
        self.settle_all()
        before, ends = None, end_offsets(self.settings.kafka, *FLOWS)
        for _ in range(MOST_HOPS):
            if ends == before:
                return
            self.settle_all()
            before, ends = ends, end_offsets(self.settings.kafka, *FLOWS)
        raise AssertionError(f"after {MOST_HOPS} rounds changes still make changes")

    def wait_until_level(self, flow: Flow) -> None:
        """Return when all that is in the flow's logs is in its ledger."""
        absent(lambda: lag(self.ledger_of(flow), self.ends_of(flow)), f"{flow.name}: level with its log", within=SETTLE_SECONDS)

    def wait_until_open(self, pids: Collection[int], within: float = 60.0) -> None:
        """Return when the workers of these process ids have opened every partition of every flow."""
        everything = sum(flow.partitions * len(flow.topics) for flow in FLOWS)
        opened = partial(self.citizen.value, OPENED, (list(pids),))
        eventually(lambda: opened() == everything, "every partition is open", within=within)

    def replay(self, *flows: Flow) -> None:
        """Have everything of the flows' topics read again; returns when it is."""
        for flow in flows:
            for topic in flow.topics:
                self.command("replay", flow.name, "--topic", topic, "--all")
        for flow in flows:
            self.wait_until_level(flow)

    def become_right_all(self, flows: Collection[CapturedFlow]) -> None:
        """Return when the targets of flows are what their oracles say, and every record has one outcome."""
        for flow in flows:
            self._become_right(flow)

    def _become_right(self, flow: CapturedFlow) -> None:
        source = self.of(flow.source.table.database)
        with source.connect() as before, self.target_of(flow).connect() as after:
            absent(lambda: _differing(flow, before, after), f"{flow.name}: the target equals the oracle", within=30)
        self.add_up(flow)

    def add_up(self, flow: Flow) -> None:
        """Return when every record of the flow has one outcome."""
        absent(lambda: discrepancies(self.ledger_of(flow), self.ends_of(flow)), f"{flow.name}: counts add up", within=10)

    def application_events(self) -> Difference:
        """Compare the facts about applications with what ever happened to these."""
        with self.citizen.connect() as citizen, self.warehouse.connect() as warehouse:
            return compare_application_events(citizen, warehouse)

    def golden_records(self) -> Difference:
        """Compare golden records with what both databases' writers ever said."""
        with self.citizen.connect() as citizen, self.warehouse.connect() as warehouse:
            return compare_merged_golden_records(citizen, warehouse)

    def notices(self) -> Difference:
        """Compare the notices of decisions with what happened since the history was loaded."""
        with self.warehouse.connect() as warehouse, self.citizen.connect() as citizen:
            return compare_notifications(warehouse, citizen, self._before_notices)


def _differing(flow: Flow, source: Connection, target: Connection) -> str | None:
    found = compare_rows(flow.name, source, target)
    assert found.expected > 0, "an empty target proves nothing"
    return None if found.equal else str(found)
