"""Flows of which each row of the source is one row of the target: the newest version of it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.definition import SideTable
from flows.model import CapturedFlow, Flow
from flows.tables import IDENTIFIER, Source, Table, names_of
from flows.types import SqlType


@dataclass(frozen=True)
class Notice:
    """A row in ``table`` for every create of a source row and every change of one of ``watched``, once.

    Where no record has the old values, every record counts as a create. What tells notices apart, and makes their id, is the
    row's values of ``identity``: of several with one id the first stands. ``message`` is a text with target columns in braces,
    ``metadata`` are target columns. ``reference`` are columns of the table that hold a target column of that name.
    """

    table: Table
    type: str
    watched: tuple[str, ...]
    identity: tuple[str, ...]
    message: str
    metadata: tuple[str, ...]
    reference: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RowFlow(Flow):
    """One target row per source row; when that is deleted or does not count any more, the target row goes.

    ``deleted_at``: a target column that is set to the time of the delete instead. ``wakes``: the notification channel on which
    every transaction that wrote rows says so. ``notice``: what people are told, in the same transaction.
    """

    deleted_at: str | None = None
    wakes: str | None = None
    notice: Notice | None = None

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.source.message_key != self.source.primary_key:
            yield "the message key must be the primary key, or the versions of a row would be spread over partitions"
        if len(self.target.key) != 1 or self.target.key[0] not in names_of(self.target.columns):
            yield "the target's key must be one mapped column"
        elif self.target.column(self.target.key[0]).source != self.source.primary_key:
            yield "the target's key must be mapped from the source's primary key"
        if self.deleted_at in names_of(self.target.columns):
            yield f"the column {self.deleted_at!r} is computed and may not be mapped"
        if self.wakes is not None and not IDENTIFIER.fullmatch(self.wakes):
            yield f"the channel {self.wakes!r} is not a plain identifier"

    def _used_columns(self) -> Iterator[str]:
        yield from super()._used_columns()
        if self.notice is not None:
            yield from (*self.notice.watched, *self.notice.identity)

    @property
    def side_tables(self) -> tuple[SideTable, ...]:
        """Where notices go."""
        if self.notice is None:
            return ()
        return (SideTable(self.notice.table, ("id", "type", "message", "metadata", "created_at", *self.notice.reference)),)

    @property
    def key(self) -> str:
        """The target's key column."""
        return self.target.key[0]

    @property
    def written_columns(self) -> tuple[tuple[str, SqlType], ...]:
        """The mapped columns, and the time of the delete where rows are kept."""
        computed = () if self.deleted_at is None else ((self.deleted_at, SqlType("timestamptz")),)
        return (*super().written_columns, *computed)


@dataclass(frozen=True, kw_only=True)
class MirrorFlow(RowFlow, CapturedFlow):
    """The rows of a table."""

    source: Source

    @property
    def compared_columns(self) -> tuple[str, ...]:
        """What a notice watches."""
        return self.notice.watched if self.notice else ()
