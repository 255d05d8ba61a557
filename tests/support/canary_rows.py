"""Rows of the platform's tables with a canary in every column that must stay hidden."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from psycopg import sql

from flows.model import CapturedFlow
from flows.registry import FLOWS
from flows.replication import captured_tables, heartbeat_table
from flows.tables import Database, Table
from tests.support.canaries import TEXTS, Canary, LiveColumn, is_hidden, places_of
from tests.support.databases import Administrator

COLUMNS = """
SELECT column_name, data_type, character_maximum_length FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s AND data_type = ANY(%s) ORDER BY ordinal_position
"""
Row = dict[str, Any]
CAPTURED = [flow for flow in FLOWS if isinstance(flow, CapturedFlow)]


def household() -> dict[str, Row]:
    """Return what the tables need beside canaries, in an order that the foreign keys allow; each first column is the key."""
    citizen, record, family, scheme, application = (str(uuid4()) for _ in range(5))
    return {
        "public.schemes": {"id": scheme, "code": scheme, "last_updated": "now"},
        "public.citizens": {"id": citizen, "full_name": "first", "verification_status": "VERIFIED", "district": "nowhere"},
        "public.service_applications": {"id": application, "citizen_id": citizen, "scheme_id": scheme, "status": "submitted"},
        "public.documents": {"id": str(uuid4()), "citizen_id": citizen, "document_type": "first", "uploaded_at": "now"},
        "public.golden_records": {"gr_id": record, "family_id": family, "full_name": "first"},
        "public.profile_360": {"profile_id": uuid4().int % 2**40, "gr_id": record, "cluster_id": "first"},
        "decision.applications": {"application_id": application, "family_id": family, "decision": "first", "status": "first"},
        "eligibility.eligibility_snapshots": {
            "snapshot_id": uuid4().int % 2**40,
            "family_id": family,
            "scheme_code": scheme,
            "evaluation_status": "RULE_ELIGIBLE",
            "evaluation_timestamp": "now",
        },
    }


#: What a table holds and no flow can apply: PostgreSQL knows it, a date of ours does not.
SPOILED: Mapping[str, Row] = {
    "public.citizens": {"date_of_birth": "infinity"},
    "public.documents": {"uploaded_at": "infinity"},
    "public.golden_records": {"date_of_birth": "infinity"},
    "public.profile_360": {"updated_at": "infinity"},
    "decision.applications": {"decision_timestamp": "infinity"},
    "eligibility.eligibility_snapshots": {"eligibility_score": "NaN"},
}


class Planter:
    """Writes rows and remembers what it planted."""

    def __init__(self, databases: Mapping[Database, Administrator]) -> None:
        self.canaries: list[Canary] = []
        self._databases = databases
        self._hidden = {table: list(self._columns_of(table)) for table in captured()}

    @property
    def columns(self) -> set[str]:
        """The columns that get canaries: database, schema, table, column."""
        return {_name(table, column.name) for table, columns in self._hidden.items() for column in columns}

    def household(self, occasion: str, spoiled: Mapping[str, Row] | None = None) -> dict[Table, Row]:
        """Insert one row into each captured table, some spoiled."""
        rows, tables = household(), {table.qualified: table for table in captured()}
        assert rows.keys() == tables.keys(), "every table that flows read has a row here"
        return {
            tables[name]: self.insert(tables[name], occasion, row | (spoiled or {}).get(name, {})) for name, row in rows.items()
        }

    def insert(self, table: Table, occasion: str, row: Row) -> Row:
        """Insert a row with canaries in all hidden columns that it does not give."""
        planted = row | self._planted(table, occasion, row)
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table.schema, table.name),
            sql.SQL(", ").join(map(sql.Identifier, planted)),
            sql.SQL(", ").join([sql.Placeholder()] * len(planted)),
        )
        self._databases[table.database].rows(statement.as_string(None), list(planted.values()))
        return planted

    def update(self, table: Table, occasion: str, row: Row, **changes: Any) -> Row:
        """Give a row new canaries, and `changes`, which may keep old ones."""
        key, *_ = row
        new = changes | self._planted(table, occasion, changes)
        if not new:
            return row
        statement = sql.SQL("UPDATE {} SET {} WHERE {} = {}").format(
            sql.Identifier(table.schema, table.name),
            sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder()) for name in new),
            sql.Identifier(key),
            sql.Placeholder(),
        )
        self._databases[table.database].rows(statement.as_string(None), [*new.values(), row[key]])
        return row | new

    def delete(self, table: Table, row: Row) -> None:
        """Delete a row."""
        key, *_ = row
        statement = sql.SQL("DELETE FROM {} WHERE {} = {}").format(
            sql.Identifier(table.schema, table.name), sql.Identifier(key), sql.Placeholder()
        )
        self._databases[table.database].rows(statement.as_string(None), [row[key]])

    def _planted(self, table: Table, occasion: str, given: Row) -> Row:
        planted = {}
        for column in self._hidden[table]:
            if column.name not in given:
                value = column.fill()
                name = f"{_name(table, column.name)} {occasion}"
                self.canaries.append(Canary(name, value, places_of(CAPTURED, table, column.name)))
                planted[column.name] = column.stored(value)
        return planted

    def _columns_of(self, table: Table) -> Iterator[LiveColumn]:
        for name, kind, width in self._databases[table.database].rows(COLUMNS, (table.schema, table.name, list(TEXTS))):
            if is_hidden(CAPTURED, table, name):
                yield LiveColumn(name, kind, width)


def captured() -> list[Table]:
    """Return the tables that connectors read, ours aside."""
    tables = [each.table for database in Database for each in captured_tables(database, FLOWS)]
    return [table for table in tables if table != heartbeat_table(table.database).table]


def _name(table: Table, column: str) -> str:
    return f"{table.database.value}.{table.qualified}.{column}"
