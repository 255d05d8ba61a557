"""The SQL of a flow of rows that are only ever added: pages of new rows, and an upsert that repeats without harm."""

from __future__ import annotations

from typing import Final

from flows.batch_model import NewRowsFlow
from sinks.batch_columns import mapped, record
from sinks.person_links import LINKED, LOCK_SHARED, kept_link, link_join, noting

PAGE_ROWS: Final = 5000


def page_statement(flow: NewRowsFlow) -> str:
    """Rows created since ``since`` (null: all) and behind ``time`` and ``key`` (null: from the beginning), in that order.

    Each a JSON document, with its time and its key as text. Ordered by the columns, whose bare names would mean the text.
    """
    created, key = flow.created, flow.source.primary_key
    kind = flow.source.column(key).type
    return f"""
        SELECT json_build_object({mapped(flow, flow.target.column_names)})::text, {created}::text, {key}::text
        FROM {flow.source.table.qualified} AS s
        WHERE {created} >= coalesce(%(since)s::timestamptz, '-infinity')
          AND (%(time)s::timestamptz IS NULL OR ({created}, {key}) > (%(time)s::timestamptz, %(key)s::{kind}))
        ORDER BY s.{created}, s.{key} LIMIT {PAGE_ROWS}
        """


def counting_statement(flow: NewRowsFlow) -> str:
    """How many rows were created since ``since`` (null: all)."""
    return f"""
        SELECT count(*) FROM {flow.source.table.qualified}
        WHERE {flow.created} >= coalesce(%(since)s::timestamptz, '-infinity')
        """


def writing_statement(flow: NewRowsFlow) -> str:
    """Write ``rows``, a JSON array; answers how many were new or changed."""
    table, key, columns = flow.target.table.qualified, flow.target.key, flow.target.column_names
    written = [name for name, _ in flow.written_columns]
    data = [name for name in written if name not in key]
    rows = f"FROM given AS g {_lookup_join(flow)} {link_join(flow.link) if flow.link else ''} WHERE true"
    return f"""
        {LOCK_SHARED if flow.link else ""}
        WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(rows)s::json) AS x({_record(flow, columns)})),
        {f"noted AS ({noting(flow.link, rows)})," if flow.link else ""}
        {f"unresolved AS ({_unresolved(flow)})," if flow.reference else ""}
        written AS (INSERT INTO {table} AS t ({", ".join(written)})
                    SELECT {", ".join(_given(flow, name) for name in written)} {rows} ORDER BY {", ".join(f"g.{n}" for n in key)}
                    ON CONFLICT ({", ".join(key)}) DO UPDATE SET {", ".join(f"{n} = {_upserted(flow, n)}" for n in data)}
                    WHERE {_changed(flow, data)}
                    RETURNING 1)
        SELECT (SELECT count(*) FROM written)
        """


def resolving_statement(flow: NewRowsFlow) -> str:
    """Fill in what is known now of rows that were written before it was; answers how many."""
    assert flow.reference is not None, "asked of flows with a reference only"
    reference, (key,) = flow.reference, flow.target.key
    kind = flow.target.column(key).type
    return f"""
        WITH known AS (DELETE FROM sync.unresolved AS u USING {reference.table.qualified} AS r
                       WHERE u.flow = %(flow)s AND r.{reference.key}::text = u.reference
                       RETURNING u.key, r.{reference.value} AS value),
        filled AS (UPDATE {flow.target.table.qualified} AS t SET {reference.column} = k.value FROM known AS k
                   WHERE t.{key} = k.key::{kind} AND t.{reference.column} IS NULL RETURNING 1)
        SELECT count(*) FROM filled
        """


def _record(flow: NewRowsFlow, columns: tuple[str, ...]) -> str:
    """The reference comes as the source has it."""
    if flow.reference is None:
        return record(flow, columns)
    others = [name for name in columns if name != flow.reference.column]
    source = flow.source.column(flow.target.column(flow.reference.column).source)
    return f"{record(flow, others)}, {flow.reference.column} {source.type}"


def _lookup_join(flow: NewRowsFlow) -> str:
    reference = flow.reference
    if reference is None:
        return ""
    return f"LEFT JOIN {reference.table.qualified} AS r ON r.{reference.key} = g.{reference.column}"


def _unresolved(flow: NewRowsFlow) -> str:
    assert flow.reference is not None, "asked of flows with a reference only"
    reference, (key,) = flow.reference, flow.target.key
    return f"""INSERT INTO sync.unresolved (flow, key, reference)
               SELECT %(flow)s, g.{key}::text, g.{reference.column}::text FROM given AS g {_lookup_join(flow)}
               WHERE g.{reference.column} IS NOT NULL AND r.{reference.key} IS NULL ORDER BY 2 ON CONFLICT DO NOTHING"""


def _given(flow: NewRowsFlow, name: str) -> str:
    if flow.link is not None and name == flow.link.column:
        return LINKED
    return f"r.{flow.reference.value}" if flow.reference is not None and name == flow.reference.column else f"g.{name}"


def _upserted(flow: NewRowsFlow, name: str) -> str:
    """What is known stays."""
    if flow.link is not None and name == flow.link.column:
        return kept_link(flow.link)
    if flow.reference is not None and name == flow.reference.column:
        return f"coalesce(excluded.{name}, t.{name})"
    return f"excluded.{name}"


def _changed(flow: NewRowsFlow, data: list[str]) -> str:
    standing, upserted = ", ".join(f"t.{name}" for name in data), ", ".join(_upserted(flow, name) for name in data)
    return f"({standing}) IS DISTINCT FROM ({upserted})"
