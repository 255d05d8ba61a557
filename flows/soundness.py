"""What the checks of events accept of a source row, as SQL: batch jobs ask the source itself which rows are bad.

A table whose columns have the declared types holds no other kinds of bad value: `check-schema` tells where it has not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flows.tables import Origin, SourceColumn

#: Years that both PostgreSQL and Python have; PostgreSQL's infinities are outside.
_DATES: Final = "{0} BETWEEN '0001-01-01' AND '9999-12-31'"
_TIMES: Final = "{0} >= '0001-01-01 00:00:00+00' AND {0} < '10000-01-01 00:00:00+00'"
_INTEGERS: Final = {"smallint": 2**15, "integer": 2**31}


def sound(origin: Origin, row: str) -> str:
    """The condition under which no column of a row of that name is bad; true or false, never null."""
    return " AND ".join(condition for column in origin.columns for condition in _sound(column, f"{row}.{column.name}")) or "true"


def _sound(column: SourceColumn, value: str) -> Iterator[str]:
    if column.required:
        yield f"{value} IS NOT NULL"
    bounds = " AND ".join(_bounds(column, value))
    if bounds:
        yield f"({bounds}) IS NOT FALSE"


def _bounds(column: SourceColumn, value: str) -> Iterator[str]:
    """Conditions that are null for null."""
    kind = column.sql_type
    if kind.base in _INTEGERS:
        yield f"{value} BETWEEN {-_INTEGERS[kind.base]} AND {_INTEGERS[kind.base] - 1}"
    elif kind.base == "varchar":
        yield f"length({value}) <= {kind.sizes[0]}"
    elif kind.base == "date":
        yield _DATES.format(value)
    elif kind.base == "timestamptz":
        yield _TIMES.format(value)
    elif kind.base == "numeric":
        yield from _number(column, value)


def _number(column: SourceColumn, value: str) -> Iterator[str]:
    """NaN is greater than every number, and equal to itself."""
    low, high = column.minimum, column.maximum
    yield f"{value} > '-Infinity'" if low is None else f"{value} >= {low}"
    yield f"{value} < 'Infinity'" if high is None else f"{value} <= {high}"
    yield f"round({value}, {column.sql_type.sizes[1]}) = {value}"
