"""Load the generated evaluations and the schemes that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from demo import evaluations, scheme_rows
from demo.copying import copy_rows
from demo.population import Population
from demo.statements import column_list, table_identifier

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from demo.databases import Connection

__all__ = ["Population", "load_history"]


def load_history(
    conn: Connection,
    population: Population,
    snapshots: int,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Add the schemes that are missing and ``snapshots`` evaluations; returns rows added per table.

    ``now`` must carry a zone: the history ends there. ``progress`` gets the snapshots so far after every COPY.
    """
    if now.tzinfo is None:
        raise ValueError("now has no time zone; pass datetime.now(UTC)")
    rows = evaluations.history(population, snapshots, now)
    return {
        scheme_rows.TABLE: _load_schemes(conn, now),
        evaluations.TABLE: copy_rows(conn, evaluations.TABLE, evaluations.Evaluation._fields, rows, progress),
    }


def _load_schemes(conn: Connection, now: datetime) -> int:
    columns = scheme_rows.SchemeRow._fields
    values = sql.SQL(", ").join(sql.Placeholder() * len(columns))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING")
    composed = statement.format(table_identifier(scheme_rows.TABLE), column_list(columns), values)
    with conn.cursor() as cursor, conn.transaction():
        cursor.executemany(composed, list(scheme_rows.scheme_rows(now)))
        return cursor.rowcount
