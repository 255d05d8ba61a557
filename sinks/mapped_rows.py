"""Rows as the source itself maps them, for COPY from there into a staging table of the target.

A line begins with what the row is, one letter, and its key: the key is needed of every row, the columns are of sound rows alone.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from flows.model import CapturedFlow
from flows.row_model import MirrorFlow
from flows.soundness import sound
from flows.summary_model import SummaryFlow
from flows.types import SqlType
from sinks.source_rows import LATE, chosen_rows

#: Letters: a row to be compared, one that changed behind the fence, whose events follow, and one that breaks the definition.
TIMELY: Final = "t"
LATER: Final = "l"
BAD: Final = "b"
#: Of a staged row ``s``. Not as "is timely": in a table that was never analysed the planner expects a column to be a given value
#: seldom, and another than that nearly always. The latter is so here.
TO_COMPARE: Final = f"s.row_state <> '{LATER}' AND s.row_state <> '{BAD}'"


class Mapped(NamedTuple):
    """A column of a staging table, and the source's expression for it over the row ``r``."""

    name: str
    kind: SqlType
    expression: str


def mapped_columns(flow: CapturedFlow) -> tuple[Mapped, ...]:
    """What is staged of a row; TypeError for a kind that no batch job backs up."""
    if isinstance(flow, MirrorFlow):
        return _of_target(flow, flow.target.column_names)
    if isinstance(flow, SummaryFlow):
        time = flow.source.column(flow.target.column(flow.time).source)
        own = ((REFERENCE, flow.reference_source), (MEMBER_TIME, time))
        known = (Mapped(name, column.sql_type, f"r.{column.name}") for name, column in own)
        return (*known, *_of_target(flow, flow.content_columns))
    raise TypeError(f"flow {flow.name}: no batch job backs up a {type(flow).__name__}")


#: Of a member: what it refers to, and what decides which is the newest.
REFERENCE: Final = "member_of"
MEMBER_TIME: Final = "member_time"


def _of_target(flow: CapturedFlow, names: tuple[str, ...]) -> tuple[Mapped, ...]:
    columns = [flow.target.column(name) for name in names]
    return tuple(Mapped(column.name, column.sql_type, column.sql(f"r.{column.source}")) for column in columns)


def copy_statement(flow: CapturedFlow, column: str | None) -> str:
    """COPY what is chosen by a :class:`~sinks.source_rows.Chosen` of that ``column``, in the order of the key.

    Parameters: those of the choice, and those of the fence.
    """
    key = flow.source.primary_key
    mapped = ", ".join(f"CASE WHEN r.row_state = '{TIMELY}' THEN {expression} END" for _, _, expression in mapped_columns(flow))
    state = f"CASE WHEN NOT ({sound(flow.source, 's')}) THEN '{BAD}' WHEN {LATE} THEN '{LATER}' ELSE '{TIMELY}' END AS row_state"
    columns = ", ".join(f"s.{each.name}" for each in flow.source.columns)
    # OFFSET 0: the state is decided once, not once for each column.
    rows = f"SELECT {state}, {columns} FROM {chosen_rows(flow, column)} ORDER BY s.{key} OFFSET 0"
    return f"COPY (SELECT r.row_state, r.{key}, {mapped} FROM ({rows}) AS r) TO STDOUT"
