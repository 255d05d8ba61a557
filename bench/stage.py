"""The ground on which everything is measured: a fresh local stack with schema, migrations and connector."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from cli.connectors import apply_connectors
from cli.migrate import migrate_databases
from demo.databases import DatabaseName, apply_schema
from flows.model import CapturedFlow, Flow
from flows.tables import Database
from settings import Database as Address
from settings import Settings, load_settings
from stack.local import LocalStack
from tests.support.databases import Administrator, administrators

CONNECTOR_SECONDS = 60.0
BENCH_SCHEMA = "bench"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Stage:
    """The running stack and the administrators of both databases; ``say`` tells people how it goes."""

    stack: LocalStack
    settings: Settings
    warehouse: Administrator
    citizen: Administrator
    say: Say

    def of(self, database: Database) -> Administrator:
        """Return the administrator of a database."""
        return {Database.WAREHOUSE: self.warehouse, Database.CITIZEN: self.citizen}[database]

    def source_of(self, flow: CapturedFlow) -> Administrator:
        """Return the administrator of the flow's source."""
        return self.of(flow.source.table.database)

    def target_of(self, flow: Flow) -> Administrator:
        """Return the administrator of the flow's target."""
        return self.of(flow.target.table.database)

    def address_of(self, database: Database) -> Address:
        """Return where a database is, and as whom the worker logs in."""
        return self.settings.databases[database.value]

    def new_name(self, prefix: str) -> str:
        """Return a name that nothing had before: Kafka remembers groups and topics."""
        return f"{prefix}-{secrets.token_hex(4)}"


@contextmanager
def open_stage(state: Path, jars: Path, say: Say) -> Iterator[Stage]:
    """Start everything afresh in the folder ``state``; stop it and delete the folder at the end, whatever happens."""
    stack = LocalStack(state, jars)
    stack.remove()
    try:
        stack.start(say)
        # The addresses of this stack go before what the shell has set: no benchmark in somebody's real database.
        os.environ.update(stack.env)
        settings = load_settings()
        stage = Stage(stack, settings, *administrators(settings), say)
        _prepare(stage)
        yield stage
        stage.warehouse.close()
        stage.citizen.close()
    finally:
        stack.remove()


def _prepare(stage: Stage) -> None:
    for name, administrator in zip(DatabaseName, (stage.warehouse, stage.citizen), strict=True):
        with administrator.connect() as connection:
            apply_schema(connection, name)
    migrate_databases(stage.settings)
    _make_room_for_peers(stage)
    _, statuses = apply_connectors(stage.settings, CONNECTOR_SECONDS)
    stopped = [f"{each.name}: {each.trace or each.state}" for each in statuses if not each.running]
    if stopped:
        raise BenchError(f"a connector does not run: {'; '.join(stopped)}")


def _make_room_for_peers(stage: Stage) -> None:
    """Let peers log in as the worker does; Quix Streams asks for the schema even where it exists."""
    for database in Database:
        address, administrator = stage.address_of(database), stage.of(database)
        administrator.rows(f"CREATE SCHEMA {BENCH_SCHEMA} AUTHORIZATION {address.user}")
        administrator.rows(f"GRANT CREATE ON DATABASE {address.dbname} TO {address.user}")
