"""One change of one row of a source table, as oracles read it. Shares nothing with the product."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

Row = Mapping[str, Any]


class Change(NamedTuple):
    """`old` is None for an insert, `new` for a delete; values are Python's, by column name."""

    table: str
    old: Row | None
    new: Row | None

    @classmethod
    def of_snapshot(cls, table: str, rows: Iterable[Row]) -> list[Self]:
        """Rows that were there before anybody looked: each counts as if it were inserted now."""
        return [cls(table, None, row) for row in rows]
