"""A log of what happened to source tables, kept by triggers, for oracles that depend on more than what is there now."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.oracle.changes import Change

Connection = psycopg.Connection[Any]

_SCHEMA = (Path(__file__).parent.parent / "oracle" / "source_history.sql").read_bytes()
_WATCHED = """
SELECT n.nspname || '.' || c.relname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE t.tgname = 'history'
"""
_WATCH = "CREATE TRIGGER history AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION history.record()"
_READ = """
SELECT number, (jsonb_populate_record(NULL::{table}, {side})).* FROM history.change
WHERE table_name = %s AND number > %s AND {side} IS NOT NULL ORDER BY number
"""


def watch(conn: Connection, tables: Iterable[str]) -> list[str]:
    """Log every change to these tables (`schema.name`) from now on; COPY is logged, TRUNCATE is not.

    Returns those that were not watched before.
    """
    with conn.transaction():
        conn.execute(_SCHEMA)
        before = {table for (table,) in conn.execute(_WATCHED)}
        fresh = [table for table in dict.fromkeys(tables) if table not in before]
        for table in fresh:
            conn.execute(sql.SQL(_WATCH).format(_identifier(table)))
    return fresh


def unwatch(conn: Connection, tables: Iterable[str]) -> None:
    """Log no more changes to these tables."""
    for table in tables:
        conn.execute(sql.SQL("DROP TRIGGER history ON {}").format(_identifier(table)))


def writes(conn: Connection, since: int) -> list[tuple[str, str]]:
    """Return table and operation of every change after a position, in order."""
    return conn.execute("SELECT table_name, operation FROM history.change WHERE number > %s ORDER BY number", (since,)).fetchall()


def position(conn: Connection) -> int:
    """Return how far the log reaches; what comes later has greater numbers. No change may be under way."""
    row = conn.execute("SELECT coalesce(max(number), 0) FROM history.change").fetchone()
    assert row is not None
    number: int = row[0]
    return number


def changes(conn: Connection, table: str, since: int = 0) -> list[Change]:
    """Return what happened to a table after a position, in order; without large contents."""
    old, new = _side(conn, table, "old", since), _side(conn, table, "new", since)
    return [Change(table, old.get(number), new.get(number)) for number in sorted(old.keys() | new.keys())]


def timed_changes(conn: Connection, table: str) -> list[tuple[datetime, Change]]:
    """Return all that ever happened to a table, in order, each with its time of day, which is before its commit."""
    times = conn.execute("SELECT at FROM history.change WHERE table_name = %s ORDER BY number", (table,)).fetchall()
    return [(at, change) for (at,), change in zip(times, changes(conn, table), strict=True)]


def last_versions(conn: Connection, table: str, key: str) -> list[dict[str, Any]]:
    """Return the last version of every row that was ever deleted or got another key, also where it is there again."""
    gone: dict[Any, dict[str, Any]] = {}
    for change in changes(conn, table):
        if change.old is not None and (change.new is None or change.new[key] != change.old[key]):
            gone[change.old[key]] = dict(change.old)
    return list(gone.values())


def _side(conn: Connection, table: str, side: str, since: int) -> dict[int, dict[str, Any]]:
    statement = sql.SQL(_READ).format(table=_identifier(table), side=sql.Identifier(side))
    with conn.cursor(row_factory=dict_row) as cursor:
        return {row.pop("number"): row for row in cursor.execute(statement, (table, since))}


def _identifier(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))
