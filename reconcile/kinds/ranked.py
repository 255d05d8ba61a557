"""Ranked flows: the best of each group, computed from the source's rows by the ranking of the definition."""

from __future__ import annotations

from flows.model import RankedFlow
from flows.tables import names_of
from reconcile.canonical import Hashing
from reconcile.comparison import EDGE, Comparison
from reconcile.kinds.selecting import counted, mapped, standing


def compare_ranked(flow: RankedFlow, hashing: Hashing) -> Comparison:
    """Groups are the keys; what a source row would have been without the rows of its group means nothing."""
    source, target, ranking = flow.source, flow.target, flow.ranking
    (group,) = [column.name for column in target.columns if column.source == ranking.group]
    (item,) = [column.name for column in target.columns if column.source == ranking.item]
    columns = (*target.column_names, ranking.rank)
    place = hashing.canonical("s.place", dict(flow.written_columns)[ranking.rank])
    return Comparison(
        flow=flow,
        key_type=target.column(group).sql_type,
        columns=columns,
        expected=f"""SELECT s.{ranking.group} AS key, s.{ranking.item}::text AS item,
                            {", ".join(mapped(flow, hashing, target.column_names))}, {place} AS {ranking.rank}
                     FROM ({_placed(flow)}) AS s WHERE s.place <= {ranking.size}""",
        standing=f"""SELECT t.{group} AS key, t.{item}::text AS item, {", ".join(standing(flow, hashing, columns))}
                     FROM {target.table.qualified} AS t""",
        source_keys=f"SELECT s.{ranking.group} AS key FROM {source.table.qualified} AS s",
        members=f"""SELECT s.{ranking.group} AS key, s.{source.primary_key}::text AS pk, s.xmin::text AS version,
                           age(s.xmin) AS age
                    FROM {source.table.qualified} AS s""",
        edge=f"""SELECT DISTINCT s.{ranking.group} AS key FROM {source.table.qualified} AS s
                 WHERE s.{ranking.time} BETWEEN {_oldest(flow, "as_of")} - {_EDGE} AND {_oldest(flow, "until")} + {_EDGE}""",
    )


_EDGE = f"interval '{EDGE.total_seconds():.0f} seconds'"


def _oldest(flow: RankedFlow, moment: str) -> str:
    """The time of the oldest candidates that count at a moment, which is a parameter."""
    return f"(%({moment})s::timestamptz - interval '{flow.ranking.horizon.total_seconds():.0f} seconds')"


def _placed(flow: RankedFlow) -> str:
    """Source rows that stand for their group, each with its place. The rules are those of :class:`~flows.model.Ranking`."""
    r, key, table = flow.ranking, flow.source.primary_key, flow.source.table.qualified
    names = ", ".join(f"c.{name}" for name in names_of(flow.source.columns))  # The role may read no others.
    newest = f"""SELECT DISTINCT ON (c.{r.group}, c.{r.item}, c.{r.subject})
                        {names}, coalesce(c.{r.score}, {r.score_default}) AS points
                 FROM {table} AS c ORDER BY c.{r.group}, c.{r.item}, c.{r.subject}, c.{r.time} DESC, c.{key} DESC"""
    best = f"""SELECT DISTINCT ON (n.{r.group}, n.{r.item}) n.* FROM ({newest}) AS n
               WHERE {counted(flow, "n")} AND n.{r.time} >= {_oldest(flow, "as_of")}
               ORDER BY n.{r.group}, n.{r.item}, n.points DESC, n.{r.time} DESC, n.{key} DESC"""
    return f"""SELECT b.*, row_number() OVER (
                   PARTITION BY b.{r.group} ORDER BY b.points DESC, b.{r.time} DESC, b.{r.item} COLLATE "C") AS place
               FROM ({best}) AS b"""
