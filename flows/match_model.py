"""The kind of flow that brings records of others up to date: they are found by a match key, and made where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.definition import SideTable
from flows.model import CapturedFlow
from flows.tables import Column, Filter, Table, names_of
from flows.types import SqlType


@dataclass(frozen=True)
class Lookup:
    """The target column ``column`` holds what stands under a name in ``table``; letter case and spaces in names do not count.

    ``source`` is the source column with the name; ``name`` and ``value``, of type ``type``, are columns of ``table``.
    """

    column: str
    type: str
    source: str
    table: Table
    name: str
    value: str


@dataclass(frozen=True)
class Signature:
    """Who wrote a record last: ``column`` of the target; ``writer`` is what we leave there."""

    column: str
    type: str
    writer: str


@dataclass(frozen=True, kw_only=True)
class MatchFlow(CapturedFlow):
    """Rows that count bring the record with the same match key up to date, or make it; a null never erases.

    The target's key is the match key. Other programs write records too: while the signature is ours and ``time`` is what we wrote
    last, the version decides; against somebody else's record the strictly later ``time``. ``identity`` is the id that a record is
    made with, a uuid.
    """

    filter: Filter
    identity: str
    time: str
    signature: Signature
    lookups: tuple[Lookup, ...] = ()

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        mapped = names_of(self.target.columns)
        if self.source.message_key != self.source.primary_key:
            yield "the message key must be the primary key, or the versions of a row would be spread over partitions"
        if len(self.target.key) != 1:
            yield "the target's key must be one mapped column, the match key"
        if self.time not in mapped:
            yield f"the time column {self.time!r} must be mapped"
        for name in (self.identity, self.signature.column, *(lookup.column for lookup in self.lookups)):
            if name in mapped:
                yield f"the column {name!r} is computed and may not be mapped"
        for lookup in self.lookups:
            if lookup.table.database is not self.target.table.database:
                yield f"{lookup.table.qualified} must be in the target's database"

    def _used_columns(self) -> Iterator[str]:
        yield from super()._used_columns()
        yield from (lookup.source for lookup in self.lookups)

    def _deciding_columns(self) -> Iterator[str]:
        # Not the match key: only rows that count must have it.
        yield from super()._deciding_columns()
        if self.time in names_of(self.target.columns):
            yield self.target.column(self.time).source

    @property
    def match(self) -> Column:
        """The match key."""
        return self.target.column(self.target.key[0])

    @property
    def merged_columns(self) -> tuple[str, ...]:
        """Target columns that are brought up to date one by one."""
        mapped = [name for name in self.target.column_names if name not in (self.match.name, self.time)]
        return (*mapped, *(lookup.column for lookup in self.lookups))

    @property
    def lookup_tables(self) -> tuple[SideTable, ...]:
        """Where names are looked up."""
        return tuple(SideTable(lookup.table, (lookup.name, lookup.value)) for lookup in self.lookups)

    @property
    def written_columns(self) -> tuple[tuple[str, SqlType], ...]:
        """The mapped columns, those that are looked up, the identity and the signature."""
        found = ((lookup.column, SqlType.parse(lookup.type)) for lookup in self.lookups)
        signature = (self.signature.column, SqlType.parse(self.signature.type))
        return (*super().written_columns, *found, (self.identity, SqlType("uuid")), signature)
