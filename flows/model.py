"""The Flow model: everything about one synchronised kind of data, validated when it is made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from flows.transforms import Transform
from flows.types import SqlType

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")


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
            if not _IDENTIFIER.fullmatch(part):
                raise DefinitionError(f"{part!r} is not a plain lower-case identifier of at most 63 characters")

    @property
    def qualified(self) -> str:
        """``schema.name``, safe in SQL text: both parts are plain identifiers."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class SourceColumn:
    """A column that the connector must carry.

    ``required`` columns may not be null. ``minimum`` and ``maximum`` bound numbers; what is outside is a bad row.
    """

    name: str
    type: str
    required: bool = False
    minimum: Decimal | None = None
    maximum: Decimal | None = None

    @property
    def sql_type(self) -> SqlType:
        """The parsed type."""
        return SqlType.parse(self.type)


@dataclass(frozen=True)
class Source:
    """Where changes come from. ``message_key`` are the columns of the Kafka key, hence of the partition."""

    table: Table
    columns: tuple[SourceColumn, ...]
    primary_key: str
    message_key: str
    replica_identity_full: bool = False

    def column(self, name: str) -> SourceColumn:
        """The column of that name; raises :class:`DefinitionError`."""
        for column in self.columns:
            if column.name == name:
                return column
        raise DefinitionError(f"{self.table.qualified} has no column {name!r}; it has {_names(self.columns)}")


@dataclass(frozen=True)
class Column:
    """A target column: from which source column, through which transforms (left to right)."""

    name: str
    type: str
    source: str
    transforms: tuple[Transform, ...] = ()

    @property
    def sql_type(self) -> SqlType:
        """The parsed type."""
        return SqlType.parse(self.type)

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
        for column in self.columns:
            if column.name == name:
                return column
        raise DefinitionError(f"{self.table.qualified} has no column {name!r}; it has {_names(self.columns)}")


@dataclass(frozen=True)
class Filter:
    """A row counts when ``column`` holds one of ``values``."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """The best ``size`` items per group, out of versioned candidates.

    Per (group, item, subject) the newest candidate by (``time``, primary key) stands, whether it counts or not. Of those
    that count, the best per item: ``score``, ``time``, primary key, all descending. Of those the best ``size``: ``score``
    and ``time`` descending, item ascending. A candidate counts until ``time`` + ``horizon``. ``rank`` is the target column
    of the place, 1 is best. Names are source columns.
    """

    group: str
    item: str
    subject: str
    score: str
    score_default: Decimal
    time: str
    rank: str
    size: int
    horizon: timedelta


@dataclass(frozen=True)
class Flow:
    """One kind of data: source, mapping, target and how events of it are handled."""

    name: str
    title: str
    source: Source
    target: Target
    filter: Filter
    ranking: Ranking
    partitions: int
    events_per_day: int
    latency: timedelta

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.name):
            raise DefinitionError(f"flow {self.name!r}: the name is not a plain identifier")
        for problem in self._problems():
            raise DefinitionError(f"flow {self.name}: {problem}")

    def _problems(self) -> list[str]:
        source, target = _names(self.source.columns), _names(self.target.columns)
        used = [column.source for column in self.target.columns] + [self.filter.column]
        used += [self.source.primary_key, self.source.message_key]
        used += [self.ranking.group, self.ranking.item, self.ranking.subject, self.ranking.score, self.ranking.time]
        problems = [f"source column {name!r} is used but not declared" for name in used if name not in source]
        problems += [f"key column {name!r} is not a target column" for name in self.target.key if name not in target]
        problems += [f"column {name!r} stands twice" for names in (source, target) for name in _twice(names)]
        if self.source.table.database is self.target.table.database:
            problems.append("source and target are the same database")
        if self.partitions < 1:
            problems.append("partitions must be at least 1")
        if self.ranking.rank in target:
            problems.append(f"the rank column {self.ranking.rank!r} is computed and may not be mapped")
        if self.ranking.group != self.source.message_key:
            problems.append("the ranking's group must be the message key, or a group would be spread over partitions")
        required = {
            self.source.primary_key,
            self.ranking.group,
            self.ranking.item,
            self.ranking.time,
            self.filter.column,
        }
        problems += [
            f"source column {column.name!r} decides key, match or filter and must be required"
            for column in self.source.columns
            if column.name in required and not column.required
        ]
        return problems + self._type_problems()

    def _type_problems(self) -> list[str]:
        problems = []
        columns: tuple[SourceColumn | Column, ...] = (*self.source.columns, *self.target.columns)
        for column in columns:
            try:
                SqlType.parse(column.type)
            except ValueError as error:
                problems.append(f"column {column.name!r}: {error}")
        return problems

    @property
    def topic(self) -> str:
        """The CDC topic, as Debezium names it: prefix, schema, table."""
        return f"{self.source.table.database.value}.{self.source.table.qualified}"

    @property
    def command_topic(self) -> str:
        """Repairs and dead-letter replays of this flow: same keys and partitions as :attr:`topic`."""
        return f"sync.{self.name}.commands"

    @property
    def topics(self) -> tuple[str, str]:
        """Every topic whose records this flow applies."""
        return (self.topic, self.command_topic)

    @property
    def written_columns(self) -> tuple[tuple[str, SqlType], ...]:
        """All target columns that we write, the rank included, with their types."""
        mapped = tuple((column.name, column.sql_type) for column in self.target.columns)
        return (*mapped, (self.ranking.rank, SqlType("smallint")))


def _names(columns: tuple[SourceColumn, ...] | tuple[Column, ...]) -> list[str]:
    return [column.name for column in columns]


def _twice(names: list[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
