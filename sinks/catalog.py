"""What a live database holds of the things that the flows need, read from PostgreSQL's catalog in a few queries."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

from flows.tables import Table
from sinks.provision import STATE_SCHEMA

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class CatalogColumn:
    """``type`` is the spelling of ``format_type``; ``filled`` when the database has a value where none is given."""

    name: str
    type: str
    not_null: bool
    filled: bool


@dataclass(frozen=True)
class CatalogTable:
    """``unique_keys`` are column sets that ``ON CONFLICT`` can use; ``replica_identity`` is `pg_class.relreplident`."""

    replica_identity: str
    columns: Mapping[str, CatalogColumn]
    unique_keys: frozenset[frozenset[str]]


@dataclass(frozen=True)
class Publication:
    """Tables as ``schema.name`` and the operations that are published."""

    tables: frozenset[str]
    operations: frozenset[str]


@dataclass(frozen=True, order=True)
class Privilege:
    """A privilege of a role on a schema, on a table of it, or on a column of the table."""

    role: str
    name: str
    schema: str
    table: str | None = None
    column: str | None = None

    @property
    def object(self) -> str:
        """The dotted name of what it is on."""
        return ".".join(part for part in (self.schema, self.table, self.column) if part)


@dataclass(frozen=True)
class Catalog:
    """``roles`` maps a role to whether it may replicate; ``tables`` holds those asked for that exist."""

    wal_level: str
    roles: Mapping[str, bool]
    tables: Mapping[str, CatalogTable]
    publications: Mapping[str, Publication]
    state_tables: frozenset[str]


_TABLE: Final = """
SELECT c.oid, c.relreplident::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p')
"""
_COLUMNS: Final = """
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
       a.atthasdef OR a.attidentity <> '' AS filled
FROM pg_attribute AS a WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_UNIQUE_KEYS: Final = """
SELECT ARRAY(SELECT a.attname::text FROM pg_attribute AS a
             WHERE a.attrelid = i.indrelid AND a.attnum = ANY((i.indkey::int2[])[:i.indnkeyatts - 1]))
FROM pg_index AS i
WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
"""
_PUBLICATIONS: Final = """
SELECT p.pubname,
       ARRAY(SELECT t.schemaname || '.' || t.tablename FROM pg_publication_tables AS t WHERE t.pubname = p.pubname),
       array_remove(ARRAY[CASE WHEN pubinsert THEN 'insert' END, CASE WHEN pubupdate THEN 'update' END,
                          CASE WHEN pubdelete THEN 'delete' END, CASE WHEN pubtruncate THEN 'truncate' END], NULL)
FROM pg_publication AS p
"""
_MISSING_PRIVILEGES: Final = """
SELECT w.role, w.name, w.schema, w."table", w."column"
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) AS w(role, name, schema, "table", "column")
JOIN pg_roles AS r ON r.rolname = w.role
JOIN pg_namespace AS n ON n.nspname = w.schema
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = w."table"
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w."column" AND NOT a.attisdropped
WHERE NOT CASE WHEN w."table" IS NULL THEN has_schema_privilege(r.oid, n.oid, w.name)
               WHEN w."column" IS NULL THEN has_table_privilege(r.oid, c.oid, w.name)
               ELSE has_column_privilege(r.oid, c.oid, a.attnum, w.name) END
"""


def read_catalog(connection: Connection, tables: Collection[Table], roles: Collection[str]) -> Catalog:
    """Read one database; ``tables`` and ``roles`` name what is looked for. Any role may read the catalog."""
    wal_level = connection.execute("SHOW wal_level").fetchone()
    return Catalog(
        wal_level=wal_level[0] if wal_level else "",
        roles=_roles(connection, roles),
        tables={table.qualified: found for table in tables if (found := _table(connection, table))},
        publications=_publications(connection),
        state_tables=_state_tables(connection),
    )


def missing_privileges(connection: Connection, wanted: Collection[Privilege]) -> list[Privilege]:
    """Return those of ``wanted`` that do not hold; what is on objects or roles that do not exist is left out."""
    ordered = sorted(wanted, key=str)
    fields = ("role", "name", "schema", "table", "column")
    with connection.cursor(row_factory=class_row(Privilege)) as cursor:
        cursor.execute(_MISSING_PRIVILEGES, [[getattr(each, field) for each in ordered] for field in fields])
        return sorted(cursor.fetchall(), key=str)


def _roles(connection: Connection, roles: Collection[str]) -> dict[str, bool]:
    query = "SELECT rolname, rolreplication OR rolsuper FROM pg_roles WHERE rolname = ANY(%s)"
    return dict(connection.execute(query, (list(roles),)).fetchall())


def _table(connection: Connection, table: Table) -> CatalogTable | None:
    # Not to_regclass: it refuses names in schemas on which the asking role has no USAGE.
    found = connection.execute(_TABLE, (table.schema, table.name)).fetchone()
    if found is None:
        return None
    oid, identity = found
    with connection.cursor(row_factory=class_row(CatalogColumn)) as cursor:
        columns = cursor.execute(_COLUMNS, (oid,)).fetchall()
    keys = connection.execute(_UNIQUE_KEYS, (oid,)).fetchall()
    return CatalogTable(identity, {column.name: column for column in columns}, frozenset(frozenset(key) for (key,) in keys))


def _publications(connection: Connection) -> dict[str, Publication]:
    rows = connection.execute(_PUBLICATIONS).fetchall()
    return {name: Publication(frozenset(tables), frozenset(operations)) for name, tables, operations in rows}


def _state_tables(connection: Connection) -> frozenset[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
    return frozenset(name for (name,) in connection.execute(query, (STATE_SCHEMA,)).fetchall())
