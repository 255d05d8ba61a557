"""The Flow model: everything about one synchronised kind of data, validated when it is made.

What all flows have in common is :class:`Flow`, of those that a database feeds :class:`CapturedFlow`; how rows of the source
become rows of the target is the subclass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from flows.definition import Definition, SideTable
from flows.schedule import Schedule
from flows.tables import Filter, Source, names_of
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


@dataclass(frozen=True, kw_only=True)
class Flow(Definition):
    """A definition whose changes come as events, and how these are handled.

    ``schedules`` are the batch jobs that carry the same rows beside the events.
    """

    filter: Filter | None = None
    version: LogPosition | TimeOf = LogPosition()
    schedules: tuple[Schedule, ...] = ()
    partitions: int
    events_per_day: int
    latency: timedelta

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.partitions < 1:
            yield "partitions must be at least 1"

    def _deciding_columns(self) -> Iterator[str]:
        yield from super()._deciding_columns()
        yield self.source.primary_key
        yield self.source.message_key
        if self.filter is not None:
            yield self.filter.column
        if isinstance(self.version, TimeOf):
            yield self.version.column

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
    def candidates(self) -> str:
        """The name of the table of candidates, with the version of its layout."""
        return f"{self.name}-candidates-v1"

    @property
    def written_columns(self) -> tuple[tuple[str, SqlType], ...]:
        """The mapped columns and the rank."""
        return (*super().written_columns, (self.ranking.rank, SqlType("smallint")))
