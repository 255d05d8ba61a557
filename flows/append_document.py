"""What the page of flows says of facts."""

from __future__ import annotations

from collections.abc import Iterator

from flows.append_model import AppendFlow
from flows.tables import Column


def fact_column(flow: AppendFlow, column: Column) -> Iterator[str]:
    """What is done to a column beside its transforms."""
    if column.name == flow.reference.column:
        yield f"looked up in `{flow.reference.table.qualified}`"
    if column.name == flow.time and flow.own_times:
        yield f"or another time, by `{flow.watched}`"
    yield from (f"where `{flow.watched}` is `{state}`, else null" for name, state in flow.only if name == column.name)


def fact_lines(flow: AppendFlow) -> Iterator[str]:
    """When a row is added, of what time it is, what it waits for and who is told."""
    yield (
        f"A row is added for every insert into the source and for every change of `{flow.watched}`, and stays as it is, also when"
        " the source's row is deleted. Rows that are equal in the whole key count as one, the first."
    )
    yield f"What a snapshot or a rebuild finds adds a row only where its `{flow.watched}` has none yet."
    yield _time(flow)
    yield _reference(flow)
    if flow.wakes is not None:
        yield f"Each transaction that added rows notifies the channel `{flow.wakes}`, with their number."


def _time(flow: AppendFlow) -> str:
    main = flow.target.column(flow.time)
    if not flow.own_times:
        return f"`{main.name}` is `{main.source}`."
    own = "; ".join(f"`{source}` where `{flow.watched}` is `{state}`" for state, source in flow.own_times)
    return f"`{main.name}` is {own}; where that is null, and for all others, `{main.source}`."


def _reference(flow: AppendFlow) -> str:
    reference = flow.reference
    return (
        f"`{reference.column}` is `{reference.value}` of the row of `{reference.table.qualified}` whose `{reference.key}` is the"
        f" source's `{flow.reference_source.name}`. Events that name a row which is not there wait for it, and later ones of the"
        " same key behind them. After the deadline they become dead letters, which the row still closes when it comes."
    )
