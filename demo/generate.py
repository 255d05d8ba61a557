"""Load the generated history of the warehouse. A table more is an entry more in :data:`LOADERS`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from psycopg import sql

from demo import evaluations, scheme_rows
from demo.population import Population

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from demo.databases import Connection

__all__ = ["LOADERS", "Population", "load_history"]

# Rows per COPY, each a transaction of its own on an autocommit connection: short for replication slots, and long
# enough that the commit does not count.
ROWS_PER_COPY = 20_000


@dataclass(frozen=True)
class History:
    """What to load: whose evaluations, how many, ending at ``now``; ``progress`` gets the snapshots loaded so far."""

    population: Population
    snapshots: int
    now: datetime
    progress: Callable[[int], None]


def load_history(
    conn: Connection,
    population: Population,
    snapshots: int,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Add the schemes that are missing and ``snapshots`` evaluations; returns rows added per table.

    ``now`` must carry a zone: the history ends there. ``progress`` is called after every COPY.
    """
    if now.tzinfo is None:
        raise ValueError("now has no time zone; pass datetime.now(UTC)")
    history = History(population, snapshots, now, progress)
    return {table: load(conn, history) for table, load in LOADERS.items()}


def _load_schemes(conn: Connection, history: History) -> int:
    statement = _insert(scheme_rows.TABLE, scheme_rows.SchemeRow._fields)
    with conn.cursor() as cursor, conn.transaction():
        cursor.executemany(statement, list(scheme_rows.scheme_rows(history.now)))
        return cursor.rowcount


def _load_snapshots(conn: Connection, history: History) -> int:
    statement = _copy(evaluations.TABLE, evaluations.Evaluation._fields)
    loaded = 0
    for chunk in _chunks(evaluations.history(history.population, history.snapshots, history.now)):
        loaded += _copy_rows(conn, statement, chunk)
        history.progress(loaded)
    return loaded


LOADERS: dict[str, Callable[[Connection, History], int]] = {
    scheme_rows.TABLE: _load_schemes,
    evaluations.TABLE: _load_snapshots,
}


def _chunks(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(islice(rows, ROWS_PER_COPY)):
        yield chunk


def _copy_rows(conn: Connection, statement: sql.Composed, rows: Iterable[tuple[Any, ...]]) -> int:
    with conn.cursor() as cursor:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        return cursor.rowcount


def _copy(table: str, columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(_table(table), _columns(columns))


def _insert(table: str, columns: tuple[str, ...]) -> sql.Composed:
    values = sql.SQL(", ").join(sql.Placeholder() * len(columns))
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING")
    return statement.format(_table(table), _columns(columns), values)


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _columns(names: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
