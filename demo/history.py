"""Every table that the platform fills, with its generated history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import sql

from demo import evaluations, places, scheme_rows
from demo.citizen import applications, behaviour, citizens, documents, feedback, schemes
from demo.copying import copy_rows
from demo.databases import Connection, DatabaseName
from demo.population import Population
from demo.statements import table_identifier
from demo.warehouse import decisions, golden_records, profiles


@dataclass(frozen=True)
class Sizes:
    """How many rows; what is not named here follows from the families."""

    evaluations: int = 20_000
    applications: int = 4_000
    documents: int = 6_000
    user_events: int = 20_000
    feedback: int = 1_000


@dataclass(frozen=True)
class Past:
    """What a history follows from. ``now`` is its end."""

    population: Population
    sizes: Sizes
    now: datetime


@dataclass(frozen=True)
class History:
    """The rows of a table, ``schema.name``: all columns but those that the database fills."""

    table: str
    database: DatabaseName
    columns: tuple[str, ...]
    rows: Callable[[Past], Iterator[tuple[Any, ...]]]


def _warehouse(table: str, columns: tuple[str, ...], rows: Callable[[Past], Iterator[tuple[Any, ...]]]) -> History:
    return History(table, DatabaseName.WAREHOUSE, columns, rows)


def _citizen(table: str, columns: tuple[str, ...], rows: Callable[[Past], Iterator[tuple[Any, ...]]]) -> History:
    return History(table, DatabaseName.CITIZEN, columns, rows)


# In an order that the foreign keys allow.
HISTORIES: Final = (
    _warehouse(scheme_rows.TABLE, scheme_rows.SchemeRow._fields, lambda past: scheme_rows.scheme_rows(past.now)),
    _warehouse(places.DISTRICT_TABLE, places.District._fields, lambda _: places.districts()),
    _warehouse(
        evaluations.TABLE,
        evaluations.Evaluation._fields,
        lambda past: evaluations.history(past.population, past.sizes.evaluations, past.now),
    ),
    _warehouse(
        golden_records.TABLE.name,
        golden_records.TABLE.columns,
        lambda past: golden_records.golden_records(past.population, past.now),
    ),
    _warehouse(profiles.TABLE.name, profiles.COLUMNS, lambda past: profiles.profiles(past.population, past.now)),
    _warehouse(
        decisions.TABLE.name,
        decisions.TABLE.columns,
        lambda past: decisions.decisions(past.population, past.sizes.applications, past.now),
    ),
    _citizen(schemes.TABLE.name, schemes.TABLE.columns, lambda past: schemes.portal_schemes(past.now)),
    _citizen(citizens.TABLE.name, citizens.TABLE.columns, lambda past: citizens.citizens(past.population, past.now)),
    _citizen(
        applications.TABLE.name,
        applications.TABLE.columns,
        lambda past: applications.applications(past.population, past.sizes.applications, past.now),
    ),
    _citizen(
        documents.TABLE.name,
        documents.TABLE.columns,
        lambda past: documents.documents(past.population, past.sizes.documents, past.sizes.applications, past.now),
    ),
    _citizen(
        behaviour.TABLE.name,
        behaviour.TABLE.columns,
        lambda past: behaviour.user_events(past.population, past.sizes.user_events, past.now),
    ),
    _citizen(
        feedback.TABLE.name,
        feedback.TABLE.columns,
        lambda past: feedback.feedback(past.population, past.sizes.feedback, past.now),
    ),
)


def load_tables(
    conn: Connection,
    histories: Collection[History],
    past: Past,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Fill those tables that are empty; returns rows added by table, 0 where there were some already.

    ``progress`` gets the rows so far after every COPY.
    """
    if past.now.tzinfo is None:
        raise ValueError("now has no time zone; pass datetime.now(UTC)")
    added: dict[str, int] = {}
    for history in histories:
        added[history.table] = _load(conn, history, past, _beyond(sum(added.values()), progress))
    return added


def histories_of(database: DatabaseName) -> tuple[History, ...]:
    """Return the tables of a database in an order that its foreign keys allow."""
    return tuple(history for history in HISTORIES if history.database is database)


def history_of(table: str) -> History:
    """Return the history of a table, ``schema.name``; raises ``KeyError`` whose message lists what there is."""
    for history in HISTORIES:
        if history.table == table:
            return history
    raise KeyError(f"{table!r} has no history; there are: {', '.join(history.table for history in HISTORIES)}")


def _load(conn: Connection, history: History, past: Past, progress: Callable[[int], None]) -> int:
    if has_rows(conn, history.table):
        return 0
    return copy_rows(conn, history.table, history.columns, history.rows(past), progress)


def _beyond(before: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    return lambda rows: progress(before + rows)


def has_rows(conn: Connection, table: str) -> bool:
    """Tell whether a table, ``schema.name``, holds anything."""
    row = conn.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(table_identifier(table))).fetchone()
    return bool(row and row[0])
