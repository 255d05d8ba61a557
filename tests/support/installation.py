"""The product on the shared stack: databases with the demo's tables, migrations, topics, connector; no workers."""

import shutil
from datetime import UTC, datetime
from typing import Any

from cli.connectors import apply_connectors
from cli.migrate import migrate_databases
from demo.databases import DatabaseName, apply_schema
from demo.generate import Population, load_history
from demo.trickle import Trickle
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.model import CapturedFlow
from stack.local import LocalStack
from tests.support.commands import run_command
from tests.support.connectors import forget_connectors
from tests.support.databases import administrators, recreate
from tests.support.environment import settings_of, variables
from tests.support.kafka import delete_topics, end_offsets, ours
from tests.support.ledger import LedgerRow, Partition, discrepancies, lag, ledger_rows
from tests.support.oracle import Comparison, compare
from tests.support.streamed import wait_until_streamed
from tests.support.waiting import absent, eventually

CONNECTOR_SECONDS = 60.0


class Installation:
    """One life of the product, from empty databases on. `families` belong to the generated population."""

    def __init__(self, stack: LocalStack, flow: CapturedFlow = ELIGIBILITY_HINTS) -> None:
        self.stack = stack
        self.flow = flow
        self.settings = settings_of(stack)
        self.environment = variables(stack)
        self.warehouse, self.citizen = administrators(self.settings)
        self._changes = 0

    def prepare(self, families: int, snapshots: int) -> None:
        """Wipe what an earlier life left, then make the platform's tables and their history."""
        self._wipe()
        with self.warehouse.connect() as warehouse, self.citizen.connect() as citizen:
            apply_schema(warehouse, DatabaseName.WAREHOUSE)
            apply_schema(citizen, DatabaseName.CITIZEN)
            self.population = Population(1, families)
            load_history(warehouse, self.population, snapshots, datetime.now(UTC))

    def install(self) -> None:
        """Migrate, then start the connector, whose first act is the snapshot of what is there."""
        migrate_databases(self.settings)
        _, statuses = apply_connectors(self.settings, CONNECTOR_SECONDS)
        assert all(status.running for status in statuses), statuses

    def close(self) -> None:
        """Let the databases go; what stands in them stays for the next life to wipe."""
        self.warehouse.close()
        self.citizen.close()

    # -- what a test does ----------------------------------------------------------------------------------------------

    def command(self, *arguments: str) -> Any:
        """Run an operator command and return its JSON document."""
        return run_command(self.environment, *arguments)

    def change(self, count: int) -> None:
        """Make `count` of the demo's changes, committed when this returns."""
        self._changes += 1
        with self.warehouse.connect() as warehouse:
            Trickle(self.population, self._changes).burst(warehouse, count)

    def touch_every_family(self) -> None:
        """Change one evaluation of every family, so that each is ranked anew from the candidates that the tables hold."""
        self.warehouse.rows(
            "UPDATE eligibility.eligibility_snapshots SET updated_at = clock_timestamp() WHERE snapshot_id IN"
            " (SELECT max(snapshot_id) FROM eligibility.eligibility_snapshots GROUP BY family_id)"
        )

    def touch_everything(self) -> None:
        """Change every evaluation, in one transaction."""
        self.warehouse.rows("UPDATE eligibility.eligibility_snapshots SET updated_at = clock_timestamp()")

    def begin_anew(self) -> None:
        """Forget all that the product has read and written; the log stays. No worker may run."""
        delete_topics(self.settings.kafka, lambda topic: topic.endswith("-changelog"))
        self._lose_folders()
        self.citizen.rows("TRUNCATE eligibility_hints, sync.ledger, sync.worker")

    # -- what a test looks at ------------------------------------------------------------------------------------------

    def ends(self) -> dict[Partition, int]:
        """Return how far the logs reach."""
        return end_offsets(self.settings.kafka, self.flow)

    def ledger(self) -> dict[Partition, LedgerRow]:
        """Return positions and counts."""
        return ledger_rows(self.citizen, self.flow.name)

    def compare(self) -> Comparison:
        """Compare the target with the oracle, now."""
        return compare(self.warehouse, self.citizen)

    def dead_letters(self) -> int:
        """Return how many dead letters were ever written."""
        count: int = self.citizen.value("SELECT count(*) FROM sync.dead_letter")
        return count

    # -- what a test waits for -----------------------------------------------------------------------------------------

    def settle(self, within: float = 60.0) -> None:
        """Return when all that was committed in the source is in the log, and all that is in the log is in the ledger."""
        wait_until_streamed(self.settings.kafka, self.flow.source.table.database, self.warehouse, within)
        self.wait_until_read(within)

    def wait_until_read(self, within: float = 60.0) -> None:
        """Return when all that is in the log is in the ledger."""
        absent(lambda: lag(self.ledger(), self.ends()), "the ledger is level with the log", within=within)

    def rebuilt(self, resync: int, within: float = 60.0) -> None:
        """Return when every partition has been rebuilt from the source for the resync of that number."""
        statement = "SELECT topic, partition FROM sync.ledger WHERE flow = %s AND resynced < %s"
        absent(lambda: self.citizen.rows(statement, (self.flow.name, resync)), "every partition is rebuilt", within=within)

    def become_right(self, within: float = 30.0) -> None:
        """Return when the target equals the oracle as of one instant; the expiry of candidates may take a tick."""
        last = [self.compare()]

        def equal() -> bool:
            last[0] = self.compare()
            return last[0].equal

        try:
            eventually(equal, "the target equals the oracle", within=within)
        except AssertionError:
            raise AssertionError(f"the target is not what the oracle says {within:g} s later: {last[0]}") from None
        assert last[0].expected > 0, "an empty target proves nothing"

    def counts_add_up(self, within: float = 10.0) -> None:
        """Return when every record of every log has exactly one outcome; no load may run."""
        absent(lambda: discrepancies(self.ledger(), self.ends()), "every record has one outcome", within=within)

    def becomes_all_right(self) -> None:
        """Return when target and counts are right; fail if anything became a dead letter."""
        self.become_right()
        self.counts_add_up()
        assert self.dead_letters() == 0, "no healthy row becomes a dead letter"

    def _wipe(self) -> None:
        self.close()
        forget_connectors(self.stack.connect.url)
        delete_topics(self.settings.kafka, ours)
        recreate(self.settings)
        self._lose_folders()

    def _lose_folders(self) -> None:
        for folder in (self.stack.folder.root / "data").glob("worker-*"):
            shutil.rmtree(folder)
