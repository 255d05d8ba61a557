"""The kinds of flow that batch jobs alone carry: no event of their tables is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from flows.definition import Definition
from flows.reference import Reference
from flows.schedule import Schedule
from flows.tables import Filter, Source

#: How the values of a group become one.
MEASURES: Final = ("count", "sum", "min", "max")


@dataclass(frozen=True, kw_only=True)
class BatchFlow(Definition):
    """A definition with the job that carries it. ``rows_per_day``: what a run is to read, about."""

    source: Source
    schedule: Schedule
    rows_per_day: int

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.source.table.database is self.target.table.database:
            yield "source and target are the same database"


@dataclass(frozen=True, kw_only=True)
class RefreshFlow(BatchFlow):
    """The whole source, at once: readers see the old rows or the new ones.

    Rows that ``filter`` leaves out, or that the source no longer has, stay; their ``status`` (target column) becomes ``retired``.
    ``fixed``: target columns that a row keeps as it got them first.
    """

    filter: Filter
    status: str
    retired: str
    fixed: tuple[str, ...] = ()

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        for name in (self.status, *self.fixed):
            if name not in self.target.column_names or name in self.target.key:
                yield f"{name!r} must be a target column that is not part of the key"

    def _used_columns(self) -> Iterator[str]:
        yield from super()._used_columns()
        yield self.filter.column


@dataclass(frozen=True, kw_only=True)
class NewRowsFlow(BatchFlow):
    """Rows that are only ever added; each run takes those that are new since the last.

    ``created``: the source column with the time of a row's transaction. It finds the rows; that none is missed is the fence's
    doing. Rows of transactions that were open for longer than ``overlap`` are not found. ``reference``: a target column that is
    looked up, and stays null while its row is not there.
    """

    created: str
    overlap: timedelta
    reference: Reference | None = None

    def _used_columns(self) -> Iterator[str]:
        yield from super()._used_columns()
        yield self.created


@dataclass(frozen=True, kw_only=True)
class AggregateFlow(BatchFlow):
    """Rows are counted and summed per group, the target's key, in the source; only the sums leave it.

    ``day``: the target column of the calendar day that the time of its source column has in ``zone``. ``measures``: what becomes
    of the values of the other columns, target column and one of :data:`MEASURES`. A run computes the groups anew that rows have
    joined since the last one. ``created`` and ``overlap``: as of :class:`NewRowsFlow`.
    """

    created: str
    overlap: timedelta
    day: str
    zone: str
    measures: tuple[tuple[str, str], ...]

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.day not in self.target.key:
            yield f"the day {self.day!r} must be part of the target's key"
        measured = {name for name, _ in self.measures}
        if measured != set(self.target.column_names) - set(self.target.key):
            yield "every target column but those of the key must have a measure"
        yield from (f"{measure!r} is none of {', '.join(MEASURES)}" for _, measure in self.measures if measure not in MEASURES)

    def _used_columns(self) -> Iterator[str]:
        yield from super()._used_columns()
        yield self.created
