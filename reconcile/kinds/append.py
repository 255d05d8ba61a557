"""Append flows: the state of every source row has a fact. What once happened and is over the source does not know."""

from __future__ import annotations

from flows.append_model import AppendFlow
from flows.model import Flow
from flows.registry import FLOWS
from flows.tables import DefinitionError
from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.kinds.selecting import mapped, own_members, standing


def compare_append(flow: AppendFlow, hashing: Hashing) -> Comparison:
    """Ranges compare the state of a row with its latest fact, single keys with the latest fact of that state.

    Times are not compared: an update that is no fact moves those of the source on. What is looked up in the target is joined in
    the source with the table that feeds it.
    """
    source, target, reference = flow.source, flow.target, flow.reference
    feeder = _feeder(flow)
    timed = {flow.time, *(name for name, _ in flow.only)}
    plain = tuple(name for name in target.column_names if name not in timed and name != reference.column)
    value = feeder.target.column(reference.value)
    return Comparison(
        flow=flow,
        key_type=target.column(flow.subject).sql_type,
        columns=(*plain, reference.column),
        expected=f"""SELECT s.{source.primary_key} AS key, s.{flow.watched}::text AS item,
                            {", ".join(mapped(flow, hashing, plain))},
                            {hashing.canonical(value.sql(f"r.{value.source}"), target.column(reference.column).sql_type)}
                            AS {reference.column}
                     FROM {source.table.qualified} AS s LEFT JOIN {feeder.source.table.qualified} AS r
                          ON r.{feeder.target.column(reference.key).source} = s.{flow.reference_source.name}""",
        standing=_latest(flow, hashing, (*plain, reference.column), by_state=False),
        judged=_latest(flow, hashing, (*plain, reference.column), by_state=True),
        keeps_history=True,
        silent_nulls=frozenset({reference.column}),
        members=own_members(flow),
        after=(feeder,),
    )


def _feeder(flow: AppendFlow) -> Flow:
    for other in FLOWS:
        if other.target.table == flow.reference.table and other.source.table.database is flow.source.table.database:
            return other
    raise DefinitionError(f"flow {flow.name}: no flow from its source fills {flow.reference.table.qualified}")


def _latest(flow: AppendFlow, hashing: Hashing, columns: tuple[str, ...], *, by_state: bool) -> str:
    one = f"t.{flow.subject}, t.{flow.state}" if by_state else f"t.{flow.subject}"
    return f"""SELECT DISTINCT ON ({one}) t.{flow.subject} AS key, t.{flow.state}::text AS item,
                      {", ".join(standing(flow, hashing, columns))}
               FROM {flow.target.table.qualified} AS t ORDER BY {one}, t.{flow.time} DESC"""
