"""The kind of flow that keeps one row per group: that of its newest member. Which group a member is in is looked up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.reference import ReferringFlow
from flows.row_model import MirrorFlow
from flows.tables import names_of


@dataclass(frozen=True, kw_only=True)
class SummaryFlow(ReferringFlow):
    """Source rows are members; per group the newest is the target's row: the latest ``time``, then the greatest primary key.

    ``reference`` says how the group, which is the target's key, is looked up in the target of ``through``. Where that flow moves
    or removes a row, the members that refer to it go along. Members whose reference is not there wait for it.
    """

    through: MirrorFlow
    time: str

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.target.key != (self.reference.column,):
            yield f"the target's key must be the group, {self.reference.column!r}"
        if self.time not in names_of(self.target.columns):
            yield f"the time column {self.time!r} must be mapped"
        if (self.reference.table, self.reference.key) != (self.through.target.table, self.through.key):
            yield f"the reference must be to the target of {self.through.name}, by its key"
        if self.reference.value not in self.through.target.column_names:
            yield f"{self.through.name} does not write {self.reference.value!r}"

    def _deciding_columns(self) -> Iterator[str]:
        yield from super()._deciding_columns()
        yield from (self.target.column(name).source for name in (self.time, self.reference.column))

    @property
    def content_columns(self) -> tuple[str, ...]:
        """What a member brings to the summary: all target columns but the group."""
        return tuple(name for name in self.target.column_names if name != self.reference.column)
