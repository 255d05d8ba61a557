"""Tables and columns: what a flow reads, what it writes, and the mapping between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol, TypeVar

from flows.identity import Identity
from flows.transforms import Mask, Transform, literal
from flows.types import SqlType

IDENTIFIER: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class DefinitionError(ValueError):
    """A flow contradicts itself; the message names the flow, what is wrong and what would be right."""


class Database(Enum):
    """The two databases, by the names that settings, connectors and documents use."""

    WAREHOUSE = "warehouse"
    CITIZEN = "citizen"


@dataclass(frozen=True)
class Table:
    """A table of the platform."""

    database: Database
    schema: str
    name: str

    def __post_init__(self) -> None:
        for part in (self.schema, self.name):
            if not IDENTIFIER.fullmatch(part):
                raise DefinitionError(f"{part!r} is not a plain lower-case identifier of at most 63 characters")

    @property
    def qualified(self) -> str:
        """``schema.name``, safe in SQL text: both parts are plain identifiers."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class SourceColumn:
    """A column that the connector must carry.

    ``required`` columns may not be null. ``minimum`` and ``maximum`` bound numbers; what is outside is a bad row. ``private``
    values may reach a target only through a mask, or where the target column says that it is their place. ``identity``: the
    column holds the id of a person or of what is a person's.
    """

    name: str
    type: str
    required: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    private: bool = False
    identity: Identity | None = None

    @property
    def sql_type(self) -> SqlType:
        """The parsed type."""
        return SqlType.parse(self.type)


class Origin(Protocol):
    """Where rows come from: their columns, which one tells rows apart, and which one is the Kafka key, hence the partition."""

    @property
    def columns(self) -> tuple[SourceColumn, ...]:
        """All columns that reach Kafka."""
        ...

    @property
    def primary_key(self) -> str:
        """The column that tells rows apart."""
        ...

    @property
    def message_key(self) -> str:
        """The column of the Kafka key."""
        ...

    @property
    def topic(self) -> str:
        """Where the records are."""
        ...

    def column(self, name: str) -> SourceColumn:
        """The column of that name; raises :class:`DefinitionError`."""
        ...

    def problems(self) -> Iterator[str]:
        """What contradicts itself."""
        ...


@dataclass(frozen=True)
class Source:
    """An :class:`Origin` that is a table, whose changes are captured."""

    table: Table
    columns: tuple[SourceColumn, ...]
    primary_key: str
    message_key: str
    replica_identity_full: bool = False

    @property
    def topic(self) -> str:
        """The CDC topic, as Debezium names it: prefix, schema, table."""
        return f"{self.table.database.value}.{self.table.qualified}"

    def column(self, name: str) -> SourceColumn:
        """The column of that name; raises :class:`DefinitionError`."""
        return column_named(name, self.columns, self.table.qualified)

    def problems(self) -> Iterator[str]:
        """What contradicts itself."""
        names = names_of(self.columns)
        for name in (self.primary_key, self.message_key):
            if name not in names:
                yield f"source column {name!r} is used but not declared"
        yield from column_problems(self.columns)


@dataclass(frozen=True)
class Column:
    """A target column: from which source column, through which transforms (left to right).

    ``clear``: this column is the place where a private value may stand as it is.
    """

    name: str
    type: str
    source: str
    transforms: tuple[Transform, ...] = ()
    clear: bool = False

    @property
    def sql_type(self) -> SqlType:
        """The parsed type."""
        return SqlType.parse(self.type)

    @property
    def masks(self) -> tuple[Mask, ...]:
        """Those of the transforms that hide a private value."""
        return tuple(transform for transform in self.transforms if isinstance(transform, Mask))

    def value(self, given: Any) -> Any:
        """The target value of one source value."""
        for transform in self.transforms:
            given = transform.python(given)
        return given

    def sql(self, expression: str) -> str:
        """The same mapping as an SQL expression over the source column."""
        for transform in self.transforms:
            expression = transform.sql(expression)
        return expression


@dataclass(frozen=True)
class Target:
    """Where rows go."""

    table: Table
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in definition order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; raises :class:`DefinitionError`."""
        return column_named(name, self.columns, self.table.qualified)

    def problems(self) -> Iterator[str]:
        """What contradicts itself."""
        names = names_of(self.columns)
        for name in self.key:
            if name not in names:
                yield f"key column {name!r} is not a target column"
        yield from column_problems(self.columns)


AnyColumn = TypeVar("AnyColumn", SourceColumn, Column)


@dataclass(frozen=True)
class Filter:
    """A row counts when ``column`` holds one of ``values``, with ``any_case`` in capitals or not."""

    column: str
    values: tuple[str, ...]
    any_case: bool = False

    def admits(self, value: str) -> bool:
        """Whether a row with that value counts."""
        # Lower case: Python has letters beyond ASCII whose capital is an ASCII letter.
        return value.lower() in map(str.lower, self.values) if self.any_case else value in self.values

    def sql(self, expression: str) -> str:
        """The same as an SQL condition over the source column."""
        if self.any_case:
            return f'lower({expression} COLLATE "C") IN ({", ".join(literal(value.lower()) for value in self.values)})'
        return f"{expression} IN ({', '.join(map(literal, self.values))})"


def column_named(name: str, columns: tuple[AnyColumn, ...], where: str) -> AnyColumn:
    """The column of that name; raises :class:`DefinitionError` that says ``where`` it was looked for."""
    for column in columns:
        if column.name == name:
            return column
    raise DefinitionError(f"{where} has no column {name!r}; it has {[column.name for column in columns]}")


def names_of(columns: tuple[SourceColumn, ...] | tuple[Column, ...]) -> list[str]:
    """Names in definition order."""
    return [column.name for column in columns]


def column_problems(columns: tuple[SourceColumn, ...] | tuple[Column, ...]) -> Iterator[str]:
    """Names that stand twice, and types that no flow may use."""
    names = names_of(columns)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"column {name!r} stands twice"
    for column in columns:
        try:
            SqlType.parse(column.type)
        except ValueError as error:
            yield f"column {column.name!r}: {error}"
