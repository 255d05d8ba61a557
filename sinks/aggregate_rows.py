"""The SQL of an aggregate: groups that rows have joined are computed anew where the rows are, and only the sums leave."""

from __future__ import annotations

from typing import Final

from flows.batch_model import AggregateFlow
from sinks.batch_columns import distinct, record
from sinks.person_links import LINKED, LOCK_SHARED, kept_link, link_join, noting

PAGE_GROUPS: Final = 5000


def cursor_statement(flow: AggregateFlow, *, days: bool) -> str:
    """Declare the cursor ``groups``: each group a JSON document, and its key as a JSON array, in the order of the key.

    Groups that a row created since ``since`` (null: ever) has joined, or with ``days`` all of ``days``, a JSON array of dates;
    behind ``after``, a JSON array of the key's columns (null: from the beginning).
    """
    table, day = flow.source.table.qualified, flow.target.column(flow.day)
    groups = ", ".join(f"{_key(flow, name)} AS {name}" for name in flow.target.key)
    start, end = (f"((t.{flow.day} + {number})::timestamp AT TIME ZONE '{flow.zone}')" for number in (0, 1))
    same = " AND ".join(f"e.{flow.target.column(name).source} = t.{name}" for name in flow.target.key if name != flow.day)
    fields = ", ".join(
        [f"'{name}', t.{name}" for name in flow.target.key]
        + [f"'{name}', {_measured(flow, name, measure)}" for name, measure in flow.measures]
    )
    order = ", ".join(_ordered(flow, f"t.{name}", name) for name in flow.target.key)
    return f"""
        DECLARE groups NO SCROLL CURSOR FOR
        WITH touched AS MATERIALIZED (SELECT DISTINCT {groups} FROM {table} AS e WHERE {_chosen(flow, days=days)})
        SELECT json_build_object({fields})::text, json_build_array({", ".join(f"t.{name}" for name in flow.target.key)})::text
        FROM touched AS t JOIN {table} AS e ON {same} AND e.{day.source} >= {start} AND e.{day.source} < {end}
        WHERE {_behind(flow)}
        GROUP BY {", ".join(f"t.{name}" for name in flow.target.key)} ORDER BY {order}
        """


def whole_days_statement(flow: AggregateFlow) -> str:
    """The days of which every row is there: those after the day of the oldest row, of which some may have been removed."""
    day = _key(flow, flow.day)
    oldest = f"SELECT min({flow.target.column(flow.day).source}) FROM {flow.source.table.qualified}"
    column = flow.target.column(flow.day).source
    return f"""
        SELECT DISTINCT ({day})::text FROM {flow.source.table.qualified} AS e
        WHERE {day} > (({oldest}) AT TIME ZONE '{flow.zone}')::date AND e.{column} IS NOT NULL ORDER BY 1
        """


def writing_statement(flow: AggregateFlow) -> str:
    """Write ``rows``, a JSON array of groups; answers how many were new or changed."""
    table, key, columns = flow.target.table.qualified, flow.target.key, flow.target.column_names
    data, link = [name for name in columns if name not in key], flow.link
    joined = f"FROM given AS g {link_join(link) if link else ''} WHERE true"
    linked, upserted = (f", {link.column}", f", {link.column} = {kept_link(link)}") if link else ("", "")
    moved = f" OR t.{link.column} IS DISTINCT FROM {kept_link(link)}" if link else ""
    return f"""
        {LOCK_SHARED if link else ""}
        WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(rows)s::json) AS x({record(flow, columns)})),
        {f"noted AS ({_noting(flow, joined)})," if link else ""}
        written AS (INSERT INTO {table} AS t ({", ".join(columns)}{linked})
                    SELECT {", ".join(f"g.{name}" for name in columns)}{f", {LINKED}" if link else ""} {joined}
                    ORDER BY {", ".join(f"g.{name}" for name in key)}
                    ON CONFLICT ({", ".join(key)}) DO UPDATE
                    SET {", ".join(f"{name} = excluded.{name}" for name in data)}{upserted}
                    WHERE {distinct(data)}{moved}
                    RETURNING 1)
        SELECT (SELECT count(*) FROM written)
        """


def _noting(flow: AggregateFlow, joined: str) -> str:
    """One note stands for all groups of a citizen."""
    assert flow.link is not None, "asked of flows with a link only"
    return noting(flow.link, joined)


def _key(flow: AggregateFlow, name: str) -> str:
    column = flow.target.column(name)
    return f"(e.{column.source} AT TIME ZONE '{flow.zone}')::date" if name == flow.day else f"e.{column.source}"


def _chosen(flow: AggregateFlow, *, days: bool) -> str:
    if days:
        return f"{_key(flow, flow.day)} IN (SELECT value::date FROM json_array_elements_text(%(days)s::json))"
    return f"e.{flow.created} >= coalesce(%(since)s::timestamptz, '-infinity')"


def _behind(flow: AggregateFlow) -> str:
    key = flow.target.key
    given = ", ".join(
        _ordered(flow, f"(%(after)s::json ->> {place})::{flow.target.column(name).type}", name) for place, name in enumerate(key)
    )
    return f"(%(after)s::text IS NULL OR ({', '.join(_ordered(flow, f't.{name}', name) for name in key)}) > ({given}))"


def _ordered(flow: AggregateFlow, expression: str, name: str) -> str:
    """Text in the order of its bytes, which is the same everywhere."""
    return f'{expression} COLLATE "C"' if flow.target.column(name).sql_type.base in ("varchar", "text") else expression


def _measured(flow: AggregateFlow, name: str, measure: str) -> str:
    column = flow.target.column(name)
    return column.sql(f"{measure}(e.{column.source})")
