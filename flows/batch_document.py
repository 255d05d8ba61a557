"""What `docs/flows.md` says of the flows that batch jobs alone carry."""

from __future__ import annotations

from collections.abc import Iterator

from flows.batch_model import AggregateFlow, BatchFlow, NewRowsFlow, RefreshFlow

INTRODUCTION = """\
# Flows that batch jobs alone carry

No event of these tables is read, and none of their columns reaches Kafka.
"""


def handling_lines(flow: BatchFlow) -> Iterator[str]:
    """What a run does, a sentence each."""
    if isinstance(flow, RefreshFlow):
        values = " or ".join(f"`{value}`" for value in flow.filter.values)
        counting = f"rows whose `{flow.filter.column}` is {values}"
        yield f"Each run writes all {counting}, at once: readers see the old rows or the new ones."
        yield f"Other rows of the target stay, with `{flow.status}` = `{flow.retired}`."
        yield from (f"`{name}` stays as a row got it first." for name in flow.fixed)
    if isinstance(flow, NewRowsFlow | AggregateFlow):
        hours = flow.overlap.total_seconds() / 3600
        yield f"A run reads rows by `{flow.created}`, from the last run's watermark less {hours:g} h on."
    if isinstance(flow, NewRowsFlow) and flow.reference is not None:
        reference = flow.reference
        yield f"`{reference.column}` is `{reference.value}` of `{reference.table.qualified}`; null until that is known."
    if isinstance(flow, AggregateFlow):
        measures = ", ".join(f"`{name}` ({measure})" for name, measure in flow.measures)
        yield f"Groups that these rows have joined are computed anew, in the source: {measures}."
        yield f"`{flow.day}` is the calendar day in {flow.zone}."
    if flow.link is not None:
        yield f"`{flow.link.column}` is the golden record of `{flow.link.citizen}`, filled as soon as it is known."
