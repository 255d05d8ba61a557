"""Flows of facts: what happened to the rows of a source, kept for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.reference import ReferringFlow
from flows.tables import IDENTIFIER, DefinitionError, names_of


@dataclass(frozen=True, kw_only=True)
class AppendFlow(ReferringFlow):
    """Facts: a target row for every insert and for every change of the source column ``watched``, written once, never removed.

    ``time``: the target column of when it happened. It is mapped from a source column that every row has; where ``own_times``
    names another source column for what ``watched`` holds, and that is not null, it is taken from there. ``only``: target columns
    that are filled where ``watched`` holds that value, and null in all other facts. ``wakes``: the notification channel on which
    every transaction that wrote facts says so.
    """

    watched: str
    time: str
    own_times: tuple[tuple[str, str], ...] = ()
    only: tuple[tuple[str, str], ...] = ()
    wakes: str | None = None

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.source.message_key != self.source.primary_key:
            yield "the message key must be the primary key, or the facts of a row would be spread over partitions"
        if not {self.subject, self.state, self.time} <= set(self.target.key):
            yield "the target's key must hold the primary key, the watched column as it is, and the time"
        if self.reference.column in self.target.key:
            yield f"the column {self.reference.column!r} is looked up and may not be part of the key"
        if self.reference.table.database is not self.target.table.database:
            yield "references are looked up in the target's database"
        names = names_of(self.target.columns)
        yield from (f"the column {name!r} is not a target column" for name, _ in self.only if name not in names)
        for name in (self.reference.key, self.reference.value, self.wakes):
            if name is not None and not IDENTIFIER.fullmatch(name):
                yield f"{name!r} is not a plain identifier"

    def _used_columns(self) -> Iterator[str]:
        yield from super()._used_columns()
        yield from (source for _, source in self.own_times)

    def _deciding_columns(self) -> Iterator[str]:
        yield from super()._deciding_columns()
        yield from (self.watched, self.target.column(self.time).source, self.reference_source.name)

    @property
    def compared_columns(self) -> tuple[str, ...]:
        """What tells a change that is a fact from others."""
        return (self.watched,)

    @property
    def subject(self) -> str:
        """The target column that holds the source's primary key."""
        return self._plainly_mapped(self.source.primary_key)

    @property
    def state(self) -> str:
        """The target column that holds what the watched column held."""
        return self._plainly_mapped(self.watched)

    def _plainly_mapped(self, source: str) -> str:
        for column in self.target.columns:
            if column.source == source and not column.transforms:
                return column.name
        raise DefinitionError(f"flow {self.name}: source column {source!r} must be mapped as it is")
