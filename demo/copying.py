"""Load generated rows by COPY."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from demo.statements import column_list, table_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from demo.databases import Connection

# Rows per COPY, each a transaction of its own on an autocommit connection: short for replication slots, and long
# enough that the commit does not count.
ROWS_PER_COPY: Final = 20_000


def copy_rows(
    conn: Connection,
    table: str,
    columns: tuple[str, ...],
    rows: Iterator[tuple[Any, ...]],
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Add all rows to ``schema.table``; ``progress`` gets the rows so far after every COPY. Returns how many there were."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table_identifier(table), column_list(columns))
    loaded = 0
    for chunk in _chunks(rows):
        loaded += _copy(conn, statement, chunk)
        progress(loaded)
    return loaded


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(rows, ROWS_PER_COPY)):
        yield chunk


def _copy(conn: Connection, statement: sql.Composed, rows: Iterable[tuple[Any, ...]]) -> int:
    with conn.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount
