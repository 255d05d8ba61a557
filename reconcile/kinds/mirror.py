"""Mirror flows: one target row per source row that counts."""

from __future__ import annotations

from flows.row_model import MirrorFlow
from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.kinds.selecting import ONE, counted, mapped, own_members, standing


def compare_mirror(flow: MirrorFlow, hashing: Hashing) -> Comparison:
    """Rows that are marked as deleted count as not there: of what they held the source knows nothing."""
    source, target, key = flow.source, flow.target, flow.key
    columns = target.column_names
    alive = "true" if flow.deleted_at is None else f"t.{flow.deleted_at} IS NULL"
    return Comparison(
        flow=flow,
        key_type=target.column(key).sql_type,
        columns=columns,
        expected=f"""SELECT s.{source.primary_key} AS key, {ONE}, {", ".join(mapped(flow, hashing, columns))}
                     FROM {source.table.qualified} AS s WHERE {counted(flow)}""",
        standing=f"""SELECT t.{key} AS key, {ONE}, {", ".join(standing(flow, hashing, columns))}
                     FROM {target.table.qualified} AS t WHERE {alive}""",
        members=own_members(flow),
        ghosts=f"SELECT t.{key} AS key, t.{key}::text AS pk, t.{key}::text AS home FROM {target.table.qualified} AS t",
    )
