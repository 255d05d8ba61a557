"""The SQL that compares staged rows of a mirror flow with its target, and writes those that differ: the guarded write of events.

Parameters: ``flow``, the fence (``epoch``, ``lsn``), the range of the page (``low``, ``high``), ``named``.
"""

from __future__ import annotations

from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from flows.types import SqlType
from sinks.mapped_rows import TO_COMPARE
from sinks.mirror_rows import guarded_write
from sinks.person_links import is_link
from sinks.source_rows import in_range
from sinks.staging import staged
from sinks.summary_rows import noting
from sinks.waking import waking


def staged_mirror_statement(flow: MirrorFlow, *, extras: bool) -> str:
    """Answers rows that differ, rows that are too much, and how many of these were written or removed.

    Then, as JSON, the keys of what was removed, and if they are ``named`` of what was written. ``extras``: rows of the range that
    the source does not have go.
    """
    given = f"{_differing(flow)} {f'UNION ALL {_extra(flow)}' if extras else ''}"
    return f"""
        {guarded_write(flow, given)}
        SELECT (SELECT count(*) FROM given WHERE NOT d), (SELECT count(*) FROM given WHERE d), (SELECT count(*) FROM won),
               {_won("g.d")}, CASE WHEN %(named)s THEN {_won("NOT g.d")} END
               {waking(flow.wakes)}
        """


def _won(condition: str) -> str:
    return f"(SELECT json_agg(g.k)::text FROM won JOIN given AS g ON g.k = won.key AND {condition})"


def staged_following_statement(flow: MirrorFlow, follower: SummaryFlow) -> str:
    """Note staged rows that members of ``follower`` refer to and do not follow yet. After the write, which holds the rows."""
    reference = follower.reference
    noted = "EXISTS (SELECT FROM sync.profile_moved AS o WHERE o.gr_id = m.gr_id)"
    return noting(f"""
        SELECT DISTINCT m.gr_id FROM {staged(flow)} AS s JOIN sync.profile_member AS m ON m.gr_id = s.row_key
        WHERE {TO_COMPARE} AND (m.family_id IS DISTINCT FROM s.{reference.value} OR {noted})""")


def _differing(flow: MirrorFlow) -> str:
    """Rows that are missing, differ, or are marked as deleted."""
    table, key, mark = flow.target.table.qualified, flow.key, flow.deleted_at
    columns = [name for name in flow.target.column_names if name != key]
    given, standing = (", ".join(f"{row}.{name}" for name in columns) for row in ("s", "t"))
    marked = "" if mark is None else f"OR t.{mark} IS NOT NULL"
    return f"""
        SELECT {_envelope("s.row_key", gone=False)}, {", ".join(_value(flow, name, kind) for name, kind in _carried(flow))}
        FROM {staged(flow)} AS s LEFT JOIN {table} AS t ON t.{key} = s.row_key AND {_inside(flow)}
        WHERE {TO_COMPARE} AND (t.{key} IS NULL OR ({given}) IS DISTINCT FROM ({standing}) {marked})"""


def _extra(flow: MirrorFlow) -> str:
    table, key, mark = flow.target.table.qualified, flow.key, flow.deleted_at
    known = {key: f"t.{key}"} | ({} if mark is None else {mark: "clock_timestamp()"})
    alive = "" if mark is None else f"AND t.{mark} IS NULL"
    columns = ", ".join(known.get(name, f"NULL::{kind}") for name, kind in _carried(flow))
    return f"""
        SELECT {_envelope(f"t.{key}", gone=True)}, {columns} FROM {table} AS t
        WHERE {_inside(flow)} {alive} AND NOT EXISTS (SELECT FROM {staged(flow)} AS s WHERE s.row_key = t.{key})"""


def _envelope(key: str, *, gone: bool) -> str:
    """The columns of :data:`sinks.mirror_rows.ENVELOPE`."""
    version = "%(epoch)s::integer AS e, %(lsn)s::bigint AS l, NULL::bigint AS a"
    return f"{key}::text AS k, {version}, {str(gone).lower()} AS d, NULL::boolean AS f, NULL::text[] AS kept"


def _carried(flow: MirrorFlow) -> list[tuple[str, SqlType]]:
    return [(name, kind) for name, kind in flow.written_columns if not is_link(flow, name)]


def _value(flow: MirrorFlow, name: str, kind: SqlType) -> str:
    return f"NULL::{kind} AS {name}" if name == flow.deleted_at else f"s.{name} AS {name}"


def _inside(flow: MirrorFlow) -> str:
    """Known to the planner, which else would take every page for the whole table."""
    return in_range(f"t.{flow.key}", str(flow.target.column(flow.key).sql_type))
