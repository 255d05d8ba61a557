"""The SQL of a full refresh: one statement to read all, one to write all."""

from __future__ import annotations

from flows.batch_model import RefreshFlow
from sinks.batch_columns import distinct, mapped, record


def reading_statement(flow: RefreshFlow) -> str:
    """All rows that count, as one JSON array; their number, and that of all rows."""
    counts = f"{flow.filter.column} IN ({', '.join(_literal(value) for value in flow.filter.values)})"
    fields = mapped(flow, flow.target.column_names)
    return f"""
        SELECT coalesce(json_agg(json_build_object({fields})) FILTER (WHERE {counts}), '[]')::text,
               count(*) FILTER (WHERE {counts}), count(*)
        FROM {flow.source.table.qualified}
        """


def writing_statement(flow: RefreshFlow) -> str:
    """Write ``rows``, a JSON array; answers rows written and rows retired.

    A row keeps its fixed columns. Should one of them be another row's already, as when the source gives a known row a new key, a
    new row gets one of its own, the same in every run.
    """
    table, columns, key = flow.target.table.qualified, flow.target.column_names, flow.target.key
    data = [name for name in columns if name not in (*key, *flow.fixed)]
    same = " AND ".join(f"g.{name} = t.{name}" for name in key)
    return f"""
        WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(rows)s::json) AS x({record(flow, columns)})),
        written AS (INSERT INTO {table} AS t ({", ".join(columns)})
                    SELECT {", ".join(_given(flow, name) for name in columns)} FROM given AS g ORDER BY {", ".join(key)}
                    ON CONFLICT ({", ".join(key)}) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in data)}
                    WHERE {distinct(data)}
                    RETURNING 1),
        retired AS (UPDATE {table} AS t SET {flow.status} = {_literal(flow.retired)}
                    WHERE t.{flow.status} <> {_literal(flow.retired)} AND NOT EXISTS (SELECT FROM given AS g WHERE {same})
                    RETURNING 1)
        SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM retired)
        """


def active_statement(flow: RefreshFlow) -> str:
    """Whether the target has a row that is not retired."""
    return f"SELECT EXISTS (SELECT FROM {flow.target.table.qualified} WHERE {flow.status} <> {_literal(flow.retired)})"


def _given(flow: RefreshFlow, name: str) -> str:
    """The value of a new row."""
    if name not in flow.fixed or flow.target.column(name).type != "uuid":
        return f"g.{name}"
    key = ", ".join(f"g.{each}" for each in flow.target.key)
    other = " OR ".join(f"o.{each} <> g.{each}" for each in flow.target.key)
    taken = f"EXISTS (SELECT FROM {flow.target.table.qualified} AS o WHERE o.{name} = g.{name} AND ({other}))"
    return f"CASE WHEN {taken} THEN md5(concat_ws('/', g.{name}, {key}))::uuid ELSE g.{name} END"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
