"""Changes that may happen to a row of any table, ordinary ones and nasty ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from psycopg import sql

from demo.identifiers import drawn_identifier
from demo.statements import delete, insert, reinsert, update

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from demo.recipes import Draw, Situation, Values
    from demo.statements import KeyedTable

    class Row(Protocol):
        """A NamedTuple whose fields are the column names."""

        def _asdict(self) -> dict[str, Any]: ...


BACKDATED_BY: Final = timedelta(minutes=10)


def inserted(table: KeyedTable, row: Callable[[Situation], Row]) -> Draw:
    """Insert a new row."""
    return lambda situation: (insert(table, row(situation)._asdict()),)


def updated(table: KeyedTable, values: Values) -> Draw:
    """Change columns of a row; ``updated_at`` is now."""
    return lambda situation: (update(table, _place(table, situation), {**values(situation), "updated_at": situation.now}),)


def touched(table: KeyedTable) -> Draw:
    """Change nothing but ``updated_at``."""
    return updated(table, lambda _: {})


def updated_at_the_same_time(table: KeyedTable, values: Values) -> Draw:
    """Change columns of a row, whose ``updated_at`` stays: a correction that only the log's order tells from the old."""
    return lambda situation: (update(table, _place(table, situation), values(situation)),)


def backdated(table: KeyedTable, values: Values) -> Draw:
    """Change columns of a row and set ``updated_at`` back, as a transaction does that began earlier and commits later."""
    earlier = sql.SQL("updated_at - {}").format(sql.Literal(BACKDATED_BY))
    return lambda situation: (update(table, _place(table, situation), {**values(situation), "updated_at": earlier}),)


def removed(table: KeyedTable) -> Draw:
    """Delete a row."""
    return lambda situation: (delete(table, _place(table, situation)),)


def reinserted(table: KeyedTable, values: Values) -> Draw:
    """Delete a row and insert it again under its key with other values, in one transaction."""
    return lambda situation: (reinsert(table, _place(table, situation), {**values(situation), "updated_at": situation.now}),)


def rekeyed(table: KeyedTable) -> Draw:
    """Give a row another primary key, a UUID."""
    return updated(table, lambda situation: {table.key: drawn_identifier(situation.rng, situation.now)})


def _place(table: KeyedTable, situation: Situation) -> object:
    return table.draw_place(situation.rng)
