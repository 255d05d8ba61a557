"""The SQL that compares a callback flow's target with what its topic tells: rows by their versions.

``rows`` is a JSON array of the newest states that some records tell of, as :mod:`streams.mirror` writes them. A row of a later
version is as others tell; a row of just that version has to be as told.
"""

from __future__ import annotations

from flows.callback_model import CallbackFlow
from sinks.mirror_rows import ENVELOPE


def comparing_statement(flow: CallbackFlow) -> str:
    """Key, `missing` or `different`, and the names of the columns that differ."""
    kinds = {name: kind for name, kind in flow.written_columns if name in flow.target.column_names}
    record = ", ".join(f"{name} {'text' if kind.base == 'jsonb' else kind}" for name, kind in kinds.items())
    told = {name: f"g.{name}::jsonb" if kind.base == "jsonb" else f"g.{name}" for name, kind in kinds.items()}
    differing = ", ".join(
        f"CASE WHEN t.{name} IS DISTINCT FROM {value} THEN '{name}' END" for name, value in told.items() if name != flow.key
    )
    return f"""
        WITH told AS MATERIALIZED (
            SELECT g.k, v.key IS NULL OR (v.lsn, v.arrival) < (g.l, coalesce(g.a, 0)) AS behind,
                   (v.lsn, v.arrival) > (g.l, coalesce(g.a, 0)) AS ahead,
                   t.{flow.key} IS NULL AS missing, array_remove(ARRAY[{differing}], NULL) AS columns
            FROM json_to_recordset(%(rows)s::json) AS g({ENVELOPE}, {record})
            LEFT JOIN sync.row_version AS v ON v.flow = %(flow)s AND v.key = g.k
            LEFT JOIN {flow.target.table.qualified} AS t ON t.{flow.key} = g.{flow.key})
        SELECT k, CASE WHEN missing THEN 'missing' ELSE 'different' END, CASE WHEN NOT missing THEN columns END FROM told
        WHERE behind OR ((missing OR columns <> '{{}}') AND ahead IS NOT TRUE)
        ORDER BY k
        """


def counting_statement(flow: CallbackFlow) -> str:
    """How many rows there must be by their versions, and how many there are."""
    return f"""
        SELECT (SELECT count(*) FROM sync.row_version WHERE flow = %(flow)s AND NOT deleted),
               (SELECT count(*) FROM {flow.target.table.qualified})
        """
