"""Append flows: the state of every source row has a fact. What once happened and is over the source does not know."""

from __future__ import annotations

from flows.append_model import AppendFlow
from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.kinds.selecting import mapped, own_members, standing


def compare_append(flow: AppendFlow, hashing: Hashing) -> Comparison:
    """Ranges compare the state of a row with its latest fact, single keys with the latest fact of that state.

    Of a fact nothing is compared but what follows from the state: the row may have changed since in everything else, and also the
    time of its last change, without becoming another fact.
    """
    source, target = flow.source, flow.target
    columns = tuple(column.name for column in target.columns if column.source == flow.watched)
    return Comparison(
        flow=flow,
        key_type=target.column(flow.subject).sql_type,
        columns=columns,
        expected=f"""SELECT s.{source.primary_key} AS key, s.{flow.watched}::text AS item,
                            {", ".join(mapped(flow, hashing, columns))}
                     FROM {source.table.qualified} AS s""",
        standing=_latest(flow, hashing, columns, f"t.{flow.subject}"),
        judged=_latest(flow, hashing, columns, f"t.{flow.subject}, t.{flow.state}"),
        keeps_history=True,
        members=own_members(flow),
    )


def _latest(flow: AppendFlow, hashing: Hashing, columns: tuple[str, ...], of_each: str) -> str:
    return f"""SELECT DISTINCT ON ({of_each}) t.{flow.subject} AS key, t.{flow.state}::text AS item,
                      {", ".join(standing(flow, hashing, columns))}
               FROM {flow.target.table.qualified} AS t ORDER BY {of_each}, t.{flow.time} DESC"""
