"""The SQL of an append flow: facts that are not there yet are added, and nothing else.

Derived from the definition; identifiers come from nowhere else, values are bound. ``facts`` is a JSON array of objects with the
target's columns; ``fills`` marks those that are told of a row as it was found, by a snapshot or a rebuild, and not of a change:
they are added only where the row's state has no fact at all.
"""

from __future__ import annotations

from flows.append_model import AppendFlow
from flows.types import SqlType
from sinks.person_links import LINKED, LOCK_SHARED, is_link, link_join, noting
from sinks.waking import waking


def append_statement(flow: AppendFlow, *, backfill: bool) -> str:
    """Add facts; answers one row whose first value is how many were added. ``backfill`` remembers them as such."""
    table, key = flow.target.table.qualified, ", ".join(flow.target.key)
    columns = dict(flow.written_columns)
    standing = f"SELECT FROM {table} AS s WHERE (s.{flow.subject}, s.{flow.state}) = (g.{flow.subject}, g.{flow.state})"
    rows = f"FROM given AS g {link_join(flow.link) if flow.link else ''}"
    return f"""
        {LOCK_SHARED if flow.link else ""}
        WITH {_given(flow)},
        {f"noted AS ({noting(flow.link, f'{rows} WHERE true')})," if flow.link else ""}
        written AS (INSERT INTO {table} ({", ".join(columns)})
                    SELECT {", ".join(_given_value(flow, name, kind) for name, kind in columns.items())} {rows}
                    WHERE g.fills IS NOT TRUE OR NOT EXISTS ({standing})
                    ORDER BY {", ".join(f"g.{name}" for name in flow.target.key)}
                    ON CONFLICT ({key}) DO NOTHING
                    RETURNING {flow.subject} AS subject, {flow.state} AS state, {flow.time} AS fact_time)
        {_remembering() if backfill else ""}
        SELECT (SELECT count(*) FROM written) {waking(flow.wakes)}
        """


def give_way_statement(flow: AppendFlow) -> str:
    """Remove what a rebuild wrote for a state in place of what the log tells of it after all, also by a snapshot read."""
    table = flow.target.table.qualified
    return f"""
        {LOCK_SHARED if flow.link else ""}
        WITH {_given(flow)},
        settled AS (DELETE FROM sync.backfilled_fact AS b
                    USING (SELECT {flow.subject} AS subject, {flow.state} AS state, array_agg({flow.time}) AS times
                           FROM given GROUP BY 1, 2) AS g
                    WHERE b.flow = %(flow)s AND b.row_key = g.subject::text AND b.state = g.state
                    RETURNING g.subject, g.state, b.fact_time, g.times)
        DELETE FROM {table} AS t USING settled AS s
        WHERE (t.{flow.subject}, t.{flow.state}, t.{flow.time}) = (s.subject, s.state, s.fact_time)
          AND s.fact_time > ANY (s.times) AND s.fact_time <> ALL (s.times)
        """


def _given(flow: AppendFlow) -> str:
    given = [(name, kind) for name, kind in flow.written_columns if not is_link(flow, name)]
    record = ", ".join(f"{name} {'text' if kind.base == 'jsonb' else kind}" for name, kind in given)
    return f"given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(facts)s::json) AS x(fills boolean, {record}))"


def _given_value(flow: AppendFlow, name: str, kind: SqlType) -> str:
    """JSON comes as text; links are looked up."""
    if is_link(flow, name):
        return LINKED
    return f"g.{name}::jsonb" if kind.base == "jsonb" else f"g.{name}"


def _remembering() -> str:
    return """,
        remembered AS (INSERT INTO sync.backfilled_fact AS b (flow, row_key, state, fact_time)
                       SELECT %(flow)s, subject::text, state, fact_time FROM written
                       ON CONFLICT (flow, row_key, state) DO UPDATE SET fact_time = excluded.fact_time)"""
