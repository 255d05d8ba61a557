"""`migrate`: our schema, and what the flows need of each database."""

from collections.abc import Iterator

import typer

from cli.databases import admin_logins, roles
from cli.options import Json
from cli.output import show, table
from flows.batch_registry import ALL_FLOWS
from flows.tables import Database
from settings import Settings, load_settings
from sinks.catalog import read_catalog
from sinks.migrations import Migration, apply_pending, exclusively, load_migrations
from sinks.operations.audit import RefusedError
from sinks.operations.connection import Connection, connect
from sinks.provision import STATE_SCHEMA, Roles, provision_statements, tables_needed


def migrate(*, as_json: Json = False) -> None:
    """Bring both databases to the state that the flows need. May be repeated, also by two at once."""
    settings = load_settings()
    for warning in settings.warnings():
        typer.echo(f"warning: {warning}", err=True)
    applied = migrate_databases(settings)
    document = {database.value: [str(each) for each in done] for database, done in applied.items()}
    rows = [(name, ", ".join(done) or "up to date") for name, done in document.items()]
    show(document, table("Migrations", ("database", "applied now"), rows), as_json=as_json)


def migrate_databases(settings: Settings) -> dict[Database, tuple[Migration, ...]]:
    """Migrate and provision both databases; returns what was applied. Problems of both are found before any change."""
    migrations, logins = load_migrations(), admin_logins(settings)
    sessions = {database: connect(settings.databases[database.value], login) for database, login in logins.items()}
    try:
        problems = [
            problem
            for database, session in sessions.items()
            for problem in _obstacles(session, database, roles(settings, database))
        ]
        if problems:
            raise RefusedError("; ".join(problems))
        return {
            database: _migrate(session, database, roles(settings, database), migrations) for database, session in sessions.items()
        }
    finally:
        for session in sessions.values():
            session.close()


def _migrate(session: Connection, database: Database, names: Roles, migrations: tuple[Migration, ...]) -> tuple[Migration, ...]:
    with exclusively(session):
        done = apply_pending(session, migrations)
        with session.transaction():
            for statement in provision_statements(database, ALL_FLOWS, names):
                session.execute(statement.encode())
    return done


def _obstacles(session: Connection, database: Database, names: Roles) -> Iterator[str]:
    """Find what must exist before we can grant or publish it; our own tables are made by the migrations."""
    needed = tables_needed(database, ALL_FLOWS)
    catalog = read_catalog(session, needed, [role for role in (names.worker, names.connect) if role])
    for role in (names.worker, names.connect):
        if role and role not in catalog.roles:
            yield f"{database.value}: role {role} does not exist; create it with LOGIN"
    for wanted in needed:
        if wanted.schema != STATE_SCHEMA and wanted.qualified not in catalog.tables:
            yield f"{database.value}: table {wanted.qualified} does not exist; create it, or change the flow"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(migrate)
