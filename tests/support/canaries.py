"""Canaries: unique values in private columns, and the places where the definitions let them stand."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from flows.model import CapturedFlow
from flows.tables import Table, names_of

TEXTS = ("character varying", "text", "jsonb", "bytea")
SHORTEST_WORD = 16  # a column that is narrower holds a number: of few letters a word is not unique


@dataclass(frozen=True)
class Canary:
    """`name` says where and when it was planted, `places` where it may be found."""

    name: str
    value: str
    places: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LiveColumn:
    """A column as the database has it; `width` in characters."""

    name: str
    type: str
    width: int | None

    def fill(self) -> str:
        """Return a value that nothing else holds and that fits."""
        if self.width is not None and self.width < SHORTEST_WORD:
            return "7" + "".join(secrets.choice("0123456789") for _ in range(self.width - 1))
        if "mobile" in self.name:
            return f"+91-{secrets.randbelow(90_000) + 10_000}-{secrets.randbelow(90_000) + 10_000}"
        word = f"canary{secrets.token_hex(5)}"
        return f"{word}@{word}.example" if self.name == "email" else word

    def stored(self, value: str) -> Any:
        """Return what the column is given so that it holds the value."""
        if self.type == "jsonb":
            return f'{{"note": "{value}"}}'
        return value.encode() if self.type == "bytea" else value


def is_hidden(flows: Iterable[CapturedFlow], table: Table, column: str) -> bool:
    """Whether a source column is private, or none of the flows needs it."""
    read = [flow for flow in flows if flow.source.table == table and column in names_of(flow.source.columns)]
    return not read or any(flow.source.column(column).private for flow in read)


def places_of(flows: Collection[CapturedFlow], table: Table, column: str) -> frozenset[str]:
    """Return the only places for a value: its table, the topics of flows that read it, and columns that are its place."""
    places = {table_place(table)}
    for flow in flows:
        if flow.source.table == table and column in names_of(flow.source.columns):
            places.update(map(topic_place, flow.topics))
            clear = (target.name for target in flow.target.columns if target.source == column and target.clear)
            places.update(*(places_of(flows, flow.target.table, name) for name in clear))
    return frozenset(places)


def table_place(table: Table) -> str:
    """Name a table as a place."""
    return f"table {table.database.value}.{table.qualified}"


def topic_place(topic: str) -> str:
    """Name a topic as a place."""
    return f"topic {topic}"
