"""The Flow model: everything about one synchronised kind of data, validated when it is made.

What all flows have in common is :class:`Flow`, of those that a database feeds :class:`CapturedFlow`; how rows of the source
become rows of the target is the subclass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from flows.schedule import Schedule
from flows.tables import IDENTIFIER, DefinitionError, Filter, Origin, Source, Table, Target, names_of
from flows.types import SqlType


@dataclass(frozen=True)
class LogPosition:
    """The version of a row is its position in the source's log: what was written later is newer."""

    def __str__(self) -> str:
        return "position in the source's log"


@dataclass(frozen=True)
class TimeOf:
    """The version of a row is a time in it, ``column``; equal times: what was received later is newer."""

    column: str

    def __str__(self) -> str:
        return f"`{self.column}`, then the order of arrival"


@dataclass(frozen=True)
class SideTable:
    """A table beside the target, and the columns that are written or read."""

    table: Table
    columns: tuple[str, ...]


@dataclass(frozen=True)
class PersonLink:
    """A target column that names the golden record of the citizen whom a row is about, filled as soon as it is known.

    ``citizen`` is the target column with the citizen's id, ``row`` the one by which a row is found again.
    """

    column: str
    citizen: str
    row: str


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One kind of data: source, mapping, target and how events of it are handled.

    ``schedules`` are the batch jobs that carry the same rows beside the events. ``link``: a column for the golden record.
    """

    name: str
    title: str
    source: Origin
    target: Target
    filter: Filter | None = None
    version: LogPosition | TimeOf = LogPosition()
    schedules: tuple[Schedule, ...] = ()
    link: PersonLink | None = None
    partitions: int
    events_per_day: int
    latency: timedelta

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.name):
            raise DefinitionError(f"flow {self.name!r}: the name is not a plain identifier")
        if problems := list(self._problems()):
            raise DefinitionError(f"flow {self.name}: {'; '.join(problems)}")

    def _problems(self) -> Iterator[str]:
        yield from self.source.problems()
        yield from self.target.problems()
        yield from self._link_problems()
        if self.partitions < 1:
            yield "partitions must be at least 1"
        declared = names_of(self.source.columns)
        undeclared = [name for name in self._used_columns() if name not in declared]
        yield from (f"source column {name!r} is used but not declared" for name in undeclared)
        if not undeclared:
            yield from self._deciding_problems()
            yield from self._privacy_problems()

    def _used_columns(self) -> Iterator[str]:
        yield from (column.source for column in self.target.columns)
        yield from self._deciding_columns()

    def _deciding_columns(self) -> Iterator[str]:
        """Source columns that decide key, match, filter or version."""
        yield self.source.primary_key
        yield self.source.message_key
        if self.filter is not None:
            yield self.filter.column
        if isinstance(self.version, TimeOf):
            yield self.version.column

    def _link_problems(self) -> Iterator[str]:
        if self.link is not None:
            mapped = names_of(self.target.columns)
            if self.link.column in mapped:
                yield f"the link column {self.link.column!r} is looked up and may not be mapped"
            missing = [name for name in (self.link.citizen, self.link.row) if name not in mapped]
            yield from (f"the link needs the target column {name!r}" for name in missing)

    def _deciding_problems(self) -> Iterator[str]:
        for name in self._deciding_columns():
            if not self.source.column(name).required:
                yield f"source column {name!r} decides key, match or filter and must be required"

    def _privacy_problems(self) -> Iterator[str]:
        for column in self.target.columns:
            if self.source.column(column.source).private and not (column.masks or column.clear):
                yield f"target column {column.name!r} would hold a private value: give it a mask, or say that it is its place"

    @property
    def masked_columns(self) -> tuple[str, ...]:
        """Target columns that hold a mask."""
        return tuple(column.name for column in self.target.columns if column.masks)

    @property
    def side_tables(self) -> tuple[SideTable, ...]:
        """Tables of the platform that are written beside the target."""
        return ()

    @property
    def lookup_tables(self) -> tuple[SideTable, ...]:
        """Tables of the platform in the target's database that are only read."""
        return ()

    @property
    def reference_tables(self) -> tuple[SideTable, ...]:
        """Tables in the target's database that other flows fill and this one looks rows up in."""
        return ()

    @property
    def topic(self) -> str:
        """Where the source's records are."""
        return self.source.topic

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
        """All target columns that we write, with their types."""
        linked = () if self.link is None else ((self.link.column, SqlType("uuid")),)
        return (*((column.name, column.sql_type) for column in self.target.columns), *linked)


@dataclass(frozen=True, kw_only=True)
class CapturedFlow(Flow):
    """A flow whose changes are captured from a table of the other database, which can be read again at any time."""

    source: Source

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.source.table.database is self.target.table.database:
            yield "source and target are the same database"
        if self.compared_columns and not self.source.replica_identity_full:
            yield "old values are compared, so the source must have replica identity full"

    @property
    def compared_columns(self) -> tuple[str, ...]:
        """Source columns of which an event's old value is needed too; the source must have replica identity full."""
        return ()


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


@dataclass(frozen=True, kw_only=True)
class RankedFlow(CapturedFlow):
    """Rows are candidates; the best of each group stand in the target."""

    filter: Filter
    ranking: Ranking

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.ranking.rank in names_of(self.target.columns):
            yield f"the rank column {self.ranking.rank!r} is computed and may not be mapped"
        if self.ranking.group != self.source.message_key:
            yield "the ranking's group must be the message key, or a group would be spread over partitions"

    def _used_columns(self) -> Iterator[str]:
        yield from super()._used_columns()
        yield from (self.ranking.subject, self.ranking.score)

    def _deciding_columns(self) -> Iterator[str]:
        yield from super()._deciding_columns()
        yield from (self.ranking.group, self.ranking.item, self.ranking.time)

    @property
    def written_columns(self) -> tuple[tuple[str, SqlType], ...]:
        """The mapped columns and the rank."""
        return (*super().written_columns, (self.ranking.rank, SqlType("smallint")))
