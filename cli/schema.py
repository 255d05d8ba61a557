"""`check-schema`: the flows against both live catalogs."""

from collections.abc import Iterator

import psycopg
import typer

from cli.databases import Databases, databases, roles
from cli.errors import PROBLEM
from cli.options import Json
from cli.output import show, table
from flows.batch_registry import ALL_FLOWS
from flows.tables import Database
from settings import Settings, load_settings
from sinks.catalog import Catalog, missing_privileges, read_catalog
from sinks.database_check import database_differences, migration_difference, privilege_difference, wanted_privileges
from sinks.flow_check import Difference, flow_differences
from sinks.migrations import applied_migrations, contradictions, load_migrations, pending_migrations
from sinks.operations.connection import Connection
from sinks.provision import tables_needed


def check_schema(*, as_json: Json = False) -> None:
    """Compare every flow with both live databases and name each difference. Exit code 1 when there is one."""
    settings = load_settings()
    with databases(settings) as sessions:
        differences = schema_differences(settings, sessions)
    rows = [(each.database, each.flow, each.object, each.problem, each.remedy) for each in differences]
    columns = ("database", "flow", "object", "difference", "what to do")
    show(differences, table("Differences", columns, rows), as_json=as_json)
    raise typer.Exit(PROBLEM if differences else 0)


def schema_differences(settings: Settings, sessions: Databases) -> list[Difference]:
    """Compare everything; empty when all is as the flows need it."""
    catalogs = {database: _catalog(settings, sessions, database) for database in Database}
    differences = [difference for flow in ALL_FLOWS for difference in flow_differences(flow, catalogs)]
    for database, catalog in catalogs.items():
        differences += _differences_of(settings, sessions[database], database, catalog)
    return differences


def _catalog(settings: Settings, sessions: Databases, database: Database) -> Catalog:
    names = roles(settings, database)
    known = [role for role in (names.worker, names.connect) if role]
    return read_catalog(sessions[database], tables_needed(database, ALL_FLOWS), known)


def _differences_of(settings: Settings, session: Connection, database: Database, catalog: Catalog) -> Iterator[Difference]:
    names = roles(settings, database)
    yield from database_differences(database, ALL_FLOWS, names, catalog)
    yield from (migration_difference(database, problem) for problem in _migration_problems(session))
    wanted = list(wanted_privileges(database, ALL_FLOWS, names, catalog))
    yield from (privilege_difference(database, missing) for missing in missing_privileges(session, wanted))


def _migration_problems(session: Connection) -> list[str]:
    migrations = load_migrations()
    try:
        applied = applied_migrations(session)
    except psycopg.errors.InsufficientPrivilege:
        return ["the worker's role may not read which migrations are applied"]
    pending = [f"migration {each} is not applied" for each in pending_migrations(migrations, applied)]
    return [*contradictions(migrations, applied), *pending]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check_schema)
