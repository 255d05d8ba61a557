"""The SQL of changes to one row of a table, with every value bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, NamedTuple
from uuid import UUID

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random


class Step(NamedTuple):
    """One statement of a change and its values."""

    statement: LiteralString | sql.Composed
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class KeyedTable:
    """A table (``schema.name``) with a primary key of one column, a UUID; ``columns`` are all of them."""

    name: str
    key: str
    columns: tuple[str, ...]

    @property
    def quoted(self) -> sql.Identifier:
        """The name, quoted."""
        return table_identifier(self.name)

    def draw_place(self, rng: Random) -> object:
        """Draw a place for :meth:`picked`: any UUID will do."""
        return UUID(int=rng.getrandbits(128))

    def picked(self, place: str = "place") -> sql.Composed:
        """Render the key of an existing row, found from the place bound as ``place``; null when the table is empty."""
        return sql.SQL(
            "coalesce((SELECT {key} FROM {table} WHERE {key} >= {place} ORDER BY {key} LIMIT 1),"
            " (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1))"
        ).format(key=sql.Identifier(self.key), table=self.quoted, place=sql.Placeholder(place))


@dataclass(frozen=True, slots=True)
class NumberedTable(KeyedTable):
    """A table whose key is a number that the database assigns."""

    def draw_place(self, rng: Random) -> object:
        """Draw a share of the greatest number; half of them lie in the last eighth: recent rows change more often."""
        return 1 - rng.random() ** 3

    def picked(self, place: str = "place") -> sql.Composed:
        """Render the key of an existing row, found from the place bound as ``place``; null when the table is empty."""
        return sql.SQL(
            "(SELECT {key} FROM {table} WHERE {key} >= (SELECT (max({key}) * {place})::bigint FROM {table})"
            " ORDER BY {key} LIMIT 1)"
        ).format(key=sql.Identifier(self.key), table=self.quoted, place=sql.Placeholder(place))


def insert(table: KeyedTable, values: Mapping[str, object]) -> Step:
    """Insert a row, unless a unique value of it exists already. A value may be an expression."""
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT DO NOTHING")
    return Step(statement.format(table.quoted, column_list(values), _expressions(values)), _bound(values))


def insert_child(table: KeyedTable, values: Mapping[str, object], parent: KeyedTable, place: object) -> Step:
    """Insert a row, if ``parent`` has any; expressions among the values see its picked row as ``parent``."""
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS parent WHERE parent.{} = {} ON CONFLICT DO NOTHING").format(
        table.quoted, column_list(values), _expressions(values), parent.quoted, sql.Identifier(parent.key), parent.picked()
    )
    return Step(statement, _bound(values) | {"place": place})


def update(table: KeyedTable, place: object, values: Mapping[str, object]) -> Step:
    """Update the picked row. A value may be an expression over the old row."""
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(column), _expression(column, value)) for column, value in values.items()
    )
    statement = sql.SQL("UPDATE {} SET {} WHERE {} = {}")
    return Step(
        statement.format(table.quoted, assignments, sql.Identifier(table.key), table.picked()), _bound(values) | {"place": place}
    )


def delete(table: KeyedTable, place: object) -> Step:
    """Delete the picked row."""
    statement = sql.SQL("DELETE FROM {} WHERE {} = {}").format(table.quoted, sql.Identifier(table.key), table.picked())
    return Step(statement, {"place": place})


def reinsert(table: KeyedTable, place: object, values: Mapping[str, object]) -> Step:
    """Delete the picked row and insert it again with other ``values``, in one statement."""
    columns = {column: values.get(column, sql.Identifier(column)) for column in table.columns}
    key = sql.Identifier(table.key)
    statement = sql.SQL("WITH gone AS (DELETE FROM {0} WHERE {1} = {2} RETURNING *) INSERT INTO {0} ({3}) SELECT {4} FROM gone")
    composed = statement.format(table.quoted, key, table.picked(), column_list(columns), _expressions(columns))
    return Step(composed, _bound(values) | {"place": place})


def table_identifier(name: str) -> sql.Identifier:
    """Quote ``schema.name``."""
    return sql.Identifier(*name.split("."))


def column_list(names: Iterable[str]) -> sql.Composed:
    """Quote names, with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _expressions(values: Mapping[str, object]) -> sql.Composed:
    return sql.SQL(", ").join(_expression(column, value) for column, value in values.items())


def _expression(column: str, value: object) -> sql.Composable:
    return value if isinstance(value, sql.Composable) else sql.Placeholder(column)


def _bound(values: Mapping[str, object]) -> dict[str, object]:
    return {column: value for column, value in values.items() if not isinstance(value, sql.Composable)}
