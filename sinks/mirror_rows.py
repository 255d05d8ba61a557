"""The SQL of a mirror flow: versions first, and only the rows whose version won touch the target.

Derived from the definition; identifiers come from nowhere else, values are bound.
"""

from __future__ import annotations

from typing import Final

from flows.row_model import RowFlow
from sinks import row_versions
from sinks.person_links import LINKED, LOCK_SHARED, is_link, kept_link, link_join, noting
from sinks.waking import waking

#: A given row: key and version, whether the filter leaves it out, columns without a value.
ENVELOPE: Final = f"{row_versions.ENVELOPE}, f boolean, kept text[]"


def mirror_statement(flow: RowFlow, *, with_kept: bool = False, guard: str = row_versions.WINNERS) -> str:
    """One statement for a chunk: ``rows`` is a JSON array of objects, each key at most once; ``asked`` a JSON array of keys.

    It answers one row: versions that won and that the filter does not leave out, rows removed, rows written, and those of the
    keys asked for that won.
    ``with_kept``: values that the source left out are taken from the standing row. ``guard`` decides which versions win.
    """
    given = f"SELECT * FROM json_to_recordset(%(rows)s::json) AS x({ENVELOPE}, {_record(flow)})"
    return f"""
        {guarded_write(flow, given, with_kept=with_kept, guard=guard)}
        SELECT (SELECT count(*) FROM won JOIN given AS g ON g.k = won.key WHERE g.f IS NOT TRUE),
               (SELECT count(*) FROM gone), (SELECT count(*) FROM written),
               (SELECT array_agg(won.key) FROM won JOIN json_array_elements_text(%(asked)s::json) AS a(key) USING (key))
               {waking(flow.wakes)}
        """


def guarded_write(flow: RowFlow, given: str, *, with_kept: bool = False, guard: str = row_versions.WINNERS) -> str:
    """The WITH clause that writes rows: ``given``, a SELECT of them; ``won``, keys; ``gone`` and ``written``, a line per row.

    A given row has the columns of :data:`ENVELOPE` and those that the flow writes, its link aside. Parameter: ``flow``.
    """
    table, key = flow.target.table.qualified, flow.key
    columns = [name for name, _ in flow.written_columns]
    data = [name for name in columns if name != key]
    rows = _live_rows(flow, with_kept=with_kept)
    return f"""
        {LOCK_SHARED if flow.link else ""}
        WITH given AS MATERIALIZED ({given}),
        won AS ({guard}),
        {f"noted AS ({noting(flow.link, rows)})," if flow.link else ""}
        gone AS ({_removal(flow)} RETURNING 1),
        written AS (INSERT INTO {table} AS t ({", ".join(columns)})
                    SELECT {", ".join(_given(flow, name, with_kept=with_kept) for name in columns)} {rows} ORDER BY g.{key}
                    ON CONFLICT ({key}) DO UPDATE SET {", ".join(f"{name} = {_upserted(flow, name)}" for name in data)}
                    WHERE ({", ".join(f"t.{name}" for name in data)})
                          IS DISTINCT FROM ({", ".join(_upserted(flow, name) for name in data)})
                    RETURNING 1)"""


def _live_rows(flow: RowFlow, *, with_kept: bool) -> str:
    """The given rows that won and are not gone, each with what it needs from other tables."""
    table, key = flow.target.table.qualified, flow.key
    links = link_join(flow.link) if flow.link else ""
    standing = f"LEFT JOIN {table} AS s ON s.{key} = g.{key}" if with_kept else ""
    return f"FROM given AS g JOIN won ON won.key = g.k {links} {standing} WHERE NOT g.d"


def _record(flow: RowFlow) -> str:
    """The columns that come with a row, as JSON can hold them."""
    given = [(name, kind) for name, kind in flow.written_columns if not is_link(flow, name)]
    return ", ".join(f"{name} {'text' if kind.base == 'jsonb' else kind}" for name, kind in given)


def _given(flow: RowFlow, name: str, *, with_kept: bool) -> str:
    if is_link(flow, name):
        return LINKED
    kind = dict(flow.written_columns)[name]
    given = f"g.{name}::jsonb" if kind.base == "jsonb" else f"g.{name}"
    return f"CASE WHEN '{name}' = ANY(g.kept) THEN s.{name} ELSE {given} END" if with_kept and kind.can_be_long else given


def _upserted(flow: RowFlow, name: str) -> str:
    return kept_link(flow.link) if flow.link and name == flow.link.column else f"excluded.{name}"


def _removal(flow: RowFlow) -> str:
    table, key, mark = flow.target.table.qualified, flow.key, flow.deleted_at
    joined = f"FROM given AS g JOIN won ON won.key = g.k WHERE g.d AND t.{key} = g.{key}"
    if mark is None:
        return f"DELETE FROM {table} AS t USING {joined.removeprefix('FROM ')}"
    return f"UPDATE {table} AS t SET {mark} = g.{mark} {joined} AND t.{mark} IS DISTINCT FROM g.{mark}"


def standing_statement(flow: RowFlow) -> str:
    """Those of a JSON array of keys that have a row in the target, as text."""
    table, key = flow.target.table.qualified, flow.key
    return f"""
        SELECT t.{key}::text FROM {table} AS t
        JOIN json_array_elements_text(%(keys)s::json) AS k(key) ON t.{key} = k.key::{flow.target.column(key).type}
        """


def stale_keys_statement(flow: RowFlow, limit: int) -> str:
    """Keys, as text and in order, of live versions and of target rows that are older than a fence (``epoch``, ``lsn``)."""
    table, key = flow.target.table.qualified, flow.key
    alive = "" if flow.deleted_at is None else f"AND t.{flow.deleted_at} IS NULL"
    return f"""
        SELECT key FROM (
            SELECT key FROM sync.row_version
            WHERE flow = %(flow)s AND NOT deleted AND (epoch, lsn) < (%(epoch)s, %(lsn)s)
            UNION
            SELECT t.{key}::text COLLATE "C" FROM {table} AS t
            WHERE NOT EXISTS (SELECT FROM sync.row_version AS v WHERE v.flow = %(flow)s AND v.key = t.{key}::text) {alive}
        ) AS stale
        WHERE key > %(after)s ORDER BY key LIMIT {limit}
        """
