"""How busy a target table is, from the server's own counters: cheap at any size, a second late, gone after a crash."""

from dataclasses import dataclass

from psycopg import sql
from psycopg.rows import class_row

from flows.tables import Table
from sinks.operations.connection import Connection


@dataclass(frozen=True)
class Activity:
    """``rows`` that stand, as estimated; ``written`` rows inserted, updated or deleted since the counters began."""

    rows: int
    written: int


def activity(connection: Connection, table: Table) -> Activity:
    """Read the counters of one table."""
    with connection.cursor(row_factory=class_row(Activity)) as cursor:
        cursor.execute(
            "SELECT n_live_tup AS rows, n_tup_ins + n_tup_upd + n_tup_del AS written"
            " FROM pg_stat_user_tables WHERE schemaname = %s AND relname = %s",
            (table.schema, table.name),
        )
        return cursor.fetchone() or Activity(0, 0)


def has_rows(connection: Connection, table: Table) -> bool:
    """Whether anything stands in the table, exactly."""
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table.schema, table.name))
    row = connection.execute(query).fetchone()
    return bool(row and row[0])
