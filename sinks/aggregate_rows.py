"""The SQL of an aggregate: groups that rows have joined are computed anew where the rows are, and only the sums leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from flows.batch_model import AggregateFlow
from flows.definition import PersonLink
from sinks.batch_columns import distinct
from sinks.person_links import LINKED, LOCK_SHARED, kept_link, link_join, noting

PAGE_GROUPS: Final = 5000


@dataclass(frozen=True)
class Rows:
    """Rows of the source: FROM and WHERE, in which each is called ``e``; ``touched``, if given, are groups that these name."""

    rows: str
    touched: str | None = None


def all_rows(flow: AggregateFlow) -> Rows:
    """Every row that is in a group."""
    return Rows(f"FROM {flow.source.table.qualified} AS e WHERE {_complete(flow)}")


def rows_of_days(flow: AggregateFlow) -> Rows:
    """The rows of ``days``, a JSON array of dates."""
    chosen = f"{_key(flow, flow.day)} IN (SELECT value::date FROM json_array_elements_text(%(days)s::json))"
    return Rows(f"{all_rows(flow).rows} AND {chosen}")


def rows_of_touched_groups(flow: AggregateFlow) -> Rows:
    """All rows of the groups that a row created since ``since`` has joined.

    Between the first and the last day of these groups, too: or the whole table would be joined.
    """
    table, time = flow.source.table.qualified, f"e.{flow.target.column(flow.day).source}"
    groups = ", ".join(f"{_key(flow, name)} AS {name}" for name in flow.target.key)
    same = " AND ".join(f"e.{flow.target.column(name).source} = t.{name}" for name in flow.target.key if name != flow.day)
    first, last = (f"(SELECT {_midnight(flow, f'{edge}({flow.day})')} FROM touched)" for edge in ("min", "1 + max"))
    own = f"{time} >= {_midnight(flow, f't.{flow.day}')} AND {time} < {_midnight(flow, f't.{flow.day} + 1')}"
    return Rows(
        f"FROM touched AS t JOIN {table} AS e ON {same} AND {own} WHERE {time} >= {first} AND {time} < {last}",
        f"SELECT DISTINCT {groups} FROM {table} AS e WHERE e.{flow.created} >= %(since)s::timestamptz AND {_complete(flow)}",
    )


def cursor_statement(flow: AggregateFlow, chosen: Rows) -> str:
    """Declare the cursor ``pages``: the groups of the rows in the order of their key, so many to a page.

    Of each page: how many groups, the last one's key as a JSON array, and each target column's values as the text of an array.
    ``after``, a JSON array of the key's columns, is where it begins (null: at the beginning).
    """
    columns = ", ".join(f"{_value(flow, name)} AS {name}" for name in flow.target.column_names)
    arrays = ", ".join(f"{_values(name)}::text" for name in flow.target.column_names)
    key = ", ".join(_ordered(flow, f"g.{name}", name) for name in flow.target.key)
    last = ", ".join(f"({_values(name)})[count(*)]" for name in flow.target.key)
    return f"""
        DECLARE pages NO SCROLL CURSOR FOR {f"WITH touched AS MATERIALIZED ({chosen.touched})" if chosen.touched else ""}
        SELECT count(*), json_build_array({last})::text, {arrays}
        FROM (SELECT g.*, row_number() OVER (ORDER BY {key}) - 1 AS place
              FROM (SELECT {columns} {chosen.rows} AND {_behind(flow)} GROUP BY {_grouped(flow)}) AS g) AS n
        GROUP BY n.place / {PAGE_GROUPS} ORDER BY n.place / {PAGE_GROUPS}
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
    """Write the groups of a page, see :func:`parameters`; answers how many were new or changed."""
    table, key, columns = flow.target.table.qualified, flow.target.key, flow.target.column_names
    data, link = [name for name in columns if name not in key], flow.link
    linked, upserted = (f", {link.column}", f", {link.column} = {kept_link(link)}") if link else ("", "")
    moved = f" OR t.{link.column} IS DISTINCT FROM {kept_link(link)}" if link else ""
    return f"""
        {LOCK_SHARED if link else ""}
        WITH given AS MATERIALIZED (SELECT * FROM {_given(flow)}),
        {f"noted AS ({_noting(link)})," if link else ""}
        written AS (INSERT INTO {table} AS t ({", ".join(columns)}{linked})
                    SELECT {", ".join(f"g.{name}" for name in columns)}{f", {LINKED}" if link else ""}
                    FROM given AS g {link_join(link) if link else ""}
                    ORDER BY {", ".join(f"g.{name}" for name in key)}
                    ON CONFLICT ({", ".join(key)}) DO UPDATE
                    SET {", ".join(f"{name} = excluded.{name}" for name in data)}{upserted}
                    WHERE {distinct(data)}{moved}
                    RETURNING 1)
        SELECT (SELECT count(*) FROM written)
        """


def parameters(flow: AggregateFlow, values: Iterable[str]) -> dict[str, str]:
    """Of :func:`writing_statement`, for what the cursor says of a page's columns."""
    return {"flow": flow.name} | dict(zip(map(_parameter, flow.target.column_names), values, strict=True))


def _given(flow: AggregateFlow) -> str:
    """Arrays and not JSON documents: half the work for both servers, and a page is a few values on its way."""
    arrays = ", ".join(f"%({_parameter(column.name)})s::{column.type}[]" for column in flow.target.columns)
    return f"unnest({arrays}) AS x({', '.join(flow.target.column_names)})"


def _parameter(name: str) -> str:
    return f"column_{name}"


def _noting(link: PersonLink) -> str:
    """One note stands for all groups of a citizen."""
    names = ", ".join(sorted({link.citizen, link.row}))
    return noting(link, f"FROM (SELECT DISTINCT {names} FROM given) AS g {link_join(link)} WHERE true")


def _values(name: str) -> str:
    return f"array_agg(n.{name} ORDER BY n.place)"


def _value(flow: AggregateFlow, name: str) -> str:
    """A target column of a group."""
    if name in flow.target.key:
        return _ordered(flow, _key(flow, name), name)
    column, measure = flow.target.column(name), dict(flow.measures)[name]
    return column.sql(f"{measure}(e.{column.source})")


def _grouped(flow: AggregateFlow) -> str:
    return ", ".join(_ordered(flow, _key(flow, name), name) for name in flow.target.key)


def _key(flow: AggregateFlow, name: str) -> str:
    column = flow.target.column(name)
    return f"(e.{column.source} AT TIME ZONE '{flow.zone}')::date" if name == flow.day else f"e.{column.source}"


def _midnight(flow: AggregateFlow, day: str) -> str:
    return f"(({day})::timestamp AT TIME ZONE '{flow.zone}')"


def _complete(flow: AggregateFlow) -> str:
    return " AND ".join(f"e.{flow.target.column(name).source} IS NOT NULL" for name in flow.target.key)


def _behind(flow: AggregateFlow) -> str:
    given = ", ".join(
        _ordered(flow, f"(%(after)s::json ->> {place})::{flow.target.column(name).type}", name)
        for place, name in enumerate(flow.target.key)
    )
    return f"(%(after)s::text IS NULL OR ({_grouped(flow)}) > ({given}))"


def _ordered(flow: AggregateFlow, expression: str, name: str) -> str:
    """Text in the order of its bytes, which is the same everywhere."""
    return f'{expression} COLLATE "C"' if flow.target.column(name).sql_type.base in ("varchar", "text") else expression
