"""A unique value exchanged between two rows, as one transaction has to do it: the first row gives way meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from demo.statements import Step, update

if TYPE_CHECKING:
    from demo.recipes import Draw, Situation, Values
    from demo.statements import KeyedTable

_FIRST = sql.SQL("nullif(current_setting('demo.first'), '')")
_SECOND = sql.SQL("nullif(current_setting('demo.second'), '')")
_KEPT = sql.SQL("nullif(current_setting('demo.kept'), '')")


def swapped(table: KeyedTable, unique: str, meanwhile: Values, kept: str) -> Draw:
    """Exchange the texts in ``unique`` between two rows.

    ``meanwhile`` is what the first row holds until the second has let go; it gets back its ``kept`` column at the end.
    """

    def draw(situation: Situation) -> tuple[Step, ...]:
        first, second = table.draw_place(situation.rng), table.draw_place(situation.rng)
        now = {"updated_at": situation.now}
        return (
            Step(_remember(table, unique, kept), {"place": first, "other": second}),
            update(table, first, {**meanwhile(situation), **now}),
            update(table, second, {unique: _FIRST, **now}),
            update(table, first, {unique: _SECOND, kept: _KEPT, **now}),
        )

    return draw


def _remember(table: KeyedTable, unique: str, kept: str) -> sql.Composed:
    # In settings of the transaction: the values stay in the database and need no round trip.
    value = sql.SQL("SELECT {column} FROM {table} WHERE {key} = {picked}")
    names = {"table": table.quoted, "key": sql.Identifier(table.key)}
    return sql.SQL(
        "SELECT set_config('demo.first', ({}), true), set_config('demo.second', ({}), true), set_config('demo.kept', ({}), true)"
    ).format(
        value.format(column=sql.Identifier(unique), picked=table.picked(), **names),
        value.format(column=sql.Identifier(unique), picked=table.picked("other"), **names),
        value.format(column=sql.Identifier(kept), picked=table.picked(), **names),
    )
