"""Target columns that are looked up in the target's database, in rows that other flows bring there."""

from __future__ import annotations

from dataclasses import dataclass

from flows.definition import SideTable
from flows.model import CapturedFlow
from flows.tables import SourceColumn, Table


@dataclass(frozen=True)
class Reference:
    """The target column ``column`` is not mapped but looked up: ``value`` of the row of ``table`` whose ``key`` is the source's.

    The table is in the target's database, filled by a flow of its own.
    """

    column: str
    table: Table
    key: str
    value: str

    @property
    def side_table(self) -> SideTable:
        """What is read of the table."""
        return SideTable(self.table, (self.key, self.value))


@dataclass(frozen=True, kw_only=True)
class ReferringFlow(CapturedFlow):
    """Events whose reference is not there yet wait for it."""

    reference: Reference

    @property
    def reference_tables(self) -> tuple[SideTable, ...]:
        """Where the reference is looked up."""
        return (self.reference.side_table,)

    @property
    def reference_source(self) -> SourceColumn:
        """The source column by whose value the reference is looked up."""
        return self.source.column(self.target.column(self.reference.column).source)
