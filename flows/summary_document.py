"""What `docs/flows.md` says of summary flows."""

from __future__ import annotations

from collections.abc import Iterator

from flows.summary_model import SummaryFlow
from flows.tables import Column


def summary_column(flow: SummaryFlow, column: Column) -> Iterator[str]:
    """What is done to a column beside its transforms."""
    if column.name == flow.reference.column:
        yield f"looked up in `{flow.reference.table.qualified}`"


def summary_lines(flow: SummaryFlow) -> Iterator[str]:
    """Which row stands for a group, how groups are found and what happens when they change, one line each."""
    reference, source = flow.reference, flow.reference_source.name
    yield (
        f"Of the source rows of one `{reference.column}` the newest stands: the greatest"
        f" `{flow.target.column(flow.time).source}`, then the greatest `{flow.source.primary_key}`. When it goes the next newest"
        " stands, and after the last none."
    )
    yield (
        f"`{reference.column}` is `{reference.value}` of the row of `{reference.table.qualified}` whose `{reference.key}` is the"
        f" source's `{source}`. Where {flow.through.name} moves that row to another `{reference.value}` its source rows go along,"
        " within a second or two; where it removes the row, or it has none, they count nowhere."
    )
    yield (
        f"A source row whose `{source}` names a row that is not there waits for it. After the deadline it becomes a dead letter,"
        " which the row still closes when it comes. A newer version overtakes what waits, and a delete cancels it."
    )
