"""Pieces of SELECTs that several kinds share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from flows.model import CapturedFlow
from reconcile.canonical import Hashing

#: The item where a key has one row.
ONE: Final = "''::text AS item"


def mapped(flow: CapturedFlow, hashing: Hashing, names: Iterable[str], alias: str = "s") -> Iterator[str]:
    """Target columns as they are expected: the mapping over the source row ``alias``."""
    for name in names:
        column = flow.target.column(name)
        yield f"{hashing.canonical(column.sql(f'{alias}.{column.source}'), column.sql_type)} AS {name}"


def standing(flow: CapturedFlow, hashing: Hashing, names: Iterable[str], alias: str = "t") -> Iterator[str]:
    """Target columns as they stand in the target row ``alias``."""
    types = dict(flow.written_columns)
    for name in names:
        yield f"{hashing.canonical(f'{alias}.{name}', types[name])} AS {name}"


def counted(flow: CapturedFlow, alias: str = "s") -> str:
    """The condition under which a source row counts."""
    return "true" if flow.filter is None else flow.filter.sql(f"{alias}.{flow.filter.column}")


def own_members(flow: CapturedFlow) -> str:
    """Members where each key is the primary key of one source row."""
    key = flow.source.primary_key
    row = f"s.{key} AS key, s.{key}::text AS pk, s.xmin::text AS version, age(s.xmin) AS age"
    return f"SELECT {row} FROM {flow.source.table.qualified} AS s"
