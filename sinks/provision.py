"""What a database of the platform must grant us and publish, derived from the flows. Pure: values in, SQL text out.

Every statement may run again: nothing of others is dropped, and what is as it should be is not locked for readers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from psycopg import sql

from flows.batch_model import BatchFlow
from flows.definition import Definition
from flows.model import CapturedFlow, Flow
from flows.replication import CapturedTable, captured_tables, heartbeat_table, replication_name
from flows.tables import Database, Table

STATE_SCHEMA: Final = "sync"
PUBLISHED_OPERATIONS: Final = ("insert", "update", "delete", "truncate")

_ROWS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
# Erasure alone deletes.
_ADDED: Final = ("SELECT", "INSERT", "DELETE")
# The system column by which a fenced read tells rows that changed after its fence.
_VERSION: Final = ("xmin",)
# State tables that the worker may not rewrite: the audit grows only, migrations are the administrator's.
_STATE_EXCEPTIONS: Final = {"audit": ("SELECT", "INSERT"), "migration": ("SELECT",)}

# Private values must not stand in the server's log: neither because a statement failed, with its rows and keys or with a value
# that the error itself quotes, nor because it was slow. The client gets the error whole.
_SILENT: Final = {
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
}


@dataclass(frozen=True)
class Roles:
    """The roles that we log in with: the worker's, and Debezium's where a connector reads from the database."""

    worker: str
    connect: str | None = None


@dataclass(frozen=True)
class Grant:
    """Privileges on a table, or on some ``columns`` of it."""

    role: str
    table: Table
    privileges: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """The GRANT; harmless when it holds already."""
        columns = f" ({', '.join(map(_quoted, self.columns))})" if self.columns else ""
        privileges = ", ".join(privilege + columns for privilege in self.privileges)
        return f"GRANT {privileges} ON {_name(self.table)} TO {_quoted(self.role)}"


def grants(database: Database, flows: Iterable[Definition], roles: Roles) -> tuple[Grant, ...]:
    """Least privilege on tables that are not ours: named columns of sources, rows of targets, and the heartbeat."""
    flows = tuple(flows)
    captured = captured_by_events(database, flows)
    return (
        *_source_grants(captured, roles),
        *_batch_source_grants(database, flows, roles),
        *_heartbeat_grants(database, captured, roles),
        *_target_grants(database, flows, roles),
    )


def captured_by_events(database: Database, flows: Iterable[Definition]) -> tuple[CapturedTable, ...]:
    """Return what the connector reads: sources that batch jobs alone read are not published."""
    return captured_tables(database, (flow for flow in flows if isinstance(flow, Flow)))


def schemas_used(database: Database, flows: Iterable[Definition], roles: Roles) -> tuple[tuple[str, str], ...]:
    """(role, schema) pairs for which USAGE is needed."""
    tables = {(grant.role, grant.table.schema) for grant in grants(database, flows, roles)}
    return tuple(sorted(tables | {(roles.worker, STATE_SCHEMA)}))


def tables_needed(database: Database, flows: Iterable[Definition]) -> tuple[Table, ...]:
    """Return the platform's own tables in a database that flows read or write, each once."""
    tables = (table for flow in flows for table in (*_read(flow), flow.target.table, *_beside(flow)))
    return tuple(table for table in dict.fromkeys(tables) if table.database is database)


def _read(flow: Definition) -> tuple[Table, ...]:
    return (flow.source.table,) if isinstance(flow, CapturedFlow | BatchFlow) else ()


def _beside(flow: Definition) -> Iterator[Table]:
    return (each.table for each in (*flow.side_tables, *flow.lookup_tables))


def state_privileges(table: str) -> tuple[str, ...]:
    """Return what the worker may do with a table of our own schema."""
    return _STATE_EXCEPTIONS.get(table, _ROWS)


def provision_statements(database: Database, flows: Iterable[Definition], roles: Roles) -> tuple[str, ...]:
    """All statements for a database, in the order to run them, after the migrations."""
    flows = tuple(flows)
    captured = captured_by_events(database, flows)
    return (
        *(replica_identity_statement(each.table) for each in captured if each.replica_identity_full),
        *(publication_statements(database, captured) if captured else ()),
        *(f"GRANT USAGE ON SCHEMA {_quoted(schema)} TO {_quoted(role)}" for role, schema in schemas_used(database, flows, roles)),
        *_state_statements(roles),
        _temporary_tables(roles),
        *(_silence(setting, roles) for setting in _SILENT.items() if _writes_private_values(database, flows)),
        *(grant.statement for grant in grants(database, flows, roles)),
    )


def replica_identity_statement(table: Table) -> str:
    """Have updates and deletes carry the whole old row; the exclusive lock is taken only where that is new."""
    regclass = f"{_literal(_name(table))}::regclass"
    wanting = f"(SELECT relreplident FROM pg_class WHERE oid = {regclass}) <> 'f'"
    return _where(wanting, f"ALTER TABLE {_name(table)} REPLICA IDENTITY FULL")


def publication_statements(database: Database, captured: tuple[CapturedTable, ...]) -> tuple[str, ...]:
    """Have our publication hold exactly these tables; PostgreSQL leaves those alone that it holds already."""
    name = replication_name(database)
    wanting = f"NOT EXISTS (SELECT FROM pg_publication WHERE pubname = {_literal(name)})"
    return (
        _where(wanting, f"CREATE PUBLICATION {_quoted(name)}"),
        f"ALTER PUBLICATION {_quoted(name)} SET (publish = {_literal(', '.join(PUBLISHED_OPERATIONS))})",
        f"ALTER PUBLICATION {_quoted(name)} SET TABLE {', '.join(_name(each.table) for each in captured)}",
    )


def _source_grants(captured: tuple[CapturedTable, ...], roles: Roles) -> Iterator[Grant]:
    """Let the connector read the columns for its snapshot, the worker to rebuild what was lost."""
    for each in captured:
        yield Grant(roles.worker, each.table, ("SELECT",), (*each.columns, *_VERSION))
        if roles.connect is not None:
            yield Grant(roles.connect, each.table, ("SELECT",), each.columns)


def _batch_source_grants(database: Database, flows: tuple[Definition, ...], roles: Roles) -> Iterator[Grant]:
    for flow in flows:
        if isinstance(flow, BatchFlow) and flow.source.table.database is database:
            yield Grant(roles.worker, flow.source.table, ("SELECT",), tuple(column.name for column in flow.source.columns))


def _heartbeat_grants(database: Database, captured: tuple[CapturedTable, ...], roles: Roles) -> Iterator[Grant]:
    if captured and roles.connect is not None:
        yield Grant(roles.connect, heartbeat_table(database).table, ("UPDATE",), ("beat_at",))


def _target_grants(database: Database, flows: tuple[Definition, ...], roles: Roles) -> Iterator[Grant]:
    targets = dict.fromkeys(flow.target.table for flow in flows if flow.target.table.database is database)
    yield from (Grant(roles.worker, table, _ROWS) for table in targets if table.schema != STATE_SCHEMA)
    beside = dict.fromkeys(side.table for flow in flows for side in flow.side_tables if side.table.database is database)
    yield from (Grant(roles.worker, table, _ADDED) for table in beside)
    for looked_up in dict.fromkeys(each for flow in flows for each in flow.lookup_tables):
        if looked_up.table.database is database:
            yield Grant(roles.worker, looked_up.table, ("SELECT",), looked_up.columns)


def _state_statements(roles: Roles) -> Iterator[str]:
    worker = _quoted(roles.worker)
    yield f"GRANT {', '.join(_ROWS)} ON ALL TABLES IN SCHEMA {STATE_SCHEMA} TO {worker}"
    yield f"GRANT EXECUTE ON FUNCTION {STATE_SCHEMA}.forget_audit TO {worker}"
    for table, kept in _STATE_EXCEPTIONS.items():
        withheld = ", ".join(privilege for privilege in _ROWS if privilege not in kept)
        yield f"REVOKE {withheld} ON {STATE_SCHEMA}.{table} FROM {worker}"


def _temporary_tables(roles: Roles) -> str:
    """Batch jobs stage rows there. Everybody may make them, unless that was revoked."""
    worker = _literal(roles.worker)
    wanting = f"NOT has_database_privilege({worker}, current_database(), 'TEMPORARY')"
    return _where(wanting, f"EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), {worker})")


def _writes_private_values(database: Database, flows: tuple[Definition, ...]) -> bool:
    into = (flow for flow in flows if flow.target.table.database is database)
    return any(column.clear for flow in into for column in flow.target.columns)


def _silence(setting: tuple[str, str], roles: Roles) -> str:
    """Set it for the worker's sessions in this database; where it holds, nothing is done that only a superuser may."""
    name, value = setting
    holds = f"""SELECT FROM pg_db_role_setting
        WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = {_literal(roles.worker)})
        AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND {_literal(f"{name}={value}")} = ANY (setconfig)"""
    change = f"'ALTER ROLE %I IN DATABASE %I SET {name} = %L', {_literal(roles.worker)}, current_database(), {_literal(value)}"
    return _where(f"NOT EXISTS ({holds})", f"EXECUTE format({change})")


def _where(condition: str, statement: str) -> str:
    return f"DO $$ BEGIN IF {condition} THEN {statement}; END IF; END $$"


def _name(table: Table) -> str:
    return _quoted(table.schema, table.name)


def _quoted(*parts: str) -> str:
    return sql.Identifier(*parts).as_string(None)


def _literal(text: str) -> str:
    return sql.Literal(text).as_string(None)
