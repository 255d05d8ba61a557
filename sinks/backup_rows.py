"""The SQL of jobs that back up an event flow: which rows of a page are not in the target as they should be.

``rows`` is a JSON array of the rows that should be there, ``present`` one of the keys of all rows of the page, good or bad. The
page is all that the source has from the key ``low`` (null: from the beginning) to below ``high`` (null: to the end). Answers
keys: with
`written` rows that are missing or differ, with `waiting` rows whose reference is not there or has just moved, which the flow
itself sees to, and where ``extras`` are asked for with `removed` rows that the source does not have.
"""

from __future__ import annotations

from typing import Final

from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from sinks.source_rows import in_range


def mirror_statement(flow: MirrorFlow, *, extras: bool) -> str:
    """Compares target rows."""
    table, key = flow.target.table.qualified, flow.key
    columns = [name for name in flow.target.column_names if name != key]
    kinds = {name: kind for name, kind in flow.written_columns if name in flow.target.column_names}
    record = ", ".join(f"{name} {'text' if kind.base == 'jsonb' else kind}" for name, kind in kinds.items())
    given = ", ".join(f"g.{name}::jsonb" if kinds[name].base == "jsonb" else f"g.{name}" for name in columns)
    standing = ", ".join(f"t.{name}" for name in columns)
    alive = "" if flow.deleted_at is None else f"AND t.{flow.deleted_at} IS NULL"
    marked = "" if flow.deleted_at is None else f"OR t.{flow.deleted_at} IS NOT NULL"
    return f"""
        SELECT g.k, 'written' FROM json_to_recordset(%(rows)s::json) AS g(k text, {record})
        LEFT JOIN {table} AS t ON t.{key} = g.{key}
        WHERE t.{key} IS NULL OR ({given}) IS DISTINCT FROM ({standing}) {marked}
        {_extras(table, key, kinds[key].base, alive) if extras else ""}
        """


def summary_statement(flow: SummaryFlow, *, extras: bool) -> str:
    """Compares members. An unknown one waits for its reference, one that has only moved for the flow's own look at notes."""
    reference, types = flow.reference, dict(flow.written_columns)
    content = flow.content_columns
    record = ", ".join(f"{name} {types[name]}" for name in content)
    given, standing = (", ".join(f"{row}.{name}" for name in content) for row in ("c", "s"))
    same = f"((m.gr_id, m.updated_at, {standing}) IS NOT DISTINCT FROM (g.gr_id, g.updated_at, {given}))"
    moving = "EXISTS (SELECT FROM sync.profile_moved AS n WHERE n.gr_id = g.gr_id)"
    return f"""
        SELECT g.k, CASE WHEN (m.profile_id IS NULL AND r.{reference.key} IS NULL) OR ({same} AND {moving}) THEN 'waiting'
                         ELSE 'written' END
        FROM json_to_recordset(%(rows)s::json) AS g(k text, profile_id bigint, gr_id uuid, updated_at timestamptz, content jsonb)
        CROSS JOIN jsonb_to_record(g.content) AS c({record})
        LEFT JOIN {reference.table.qualified} AS r ON r.{reference.key} = g.gr_id
        LEFT JOIN sync.profile_member AS m ON m.profile_id = g.profile_id
        LEFT JOIN LATERAL jsonb_to_record(m.content) AS s({record}) ON true
        WHERE m.profile_id IS NULL OR NOT {same} OR m.family_id IS DISTINCT FROM r.{reference.value}
        {_extras("sync.profile_member", "profile_id", "bigint") if extras else ""}
        """


def groups_statement(flow: SummaryFlow) -> str:
    """Of the groups of members ``keys``, a JSON array of primary keys: those whose summary is not that of the newest member."""
    return _groups_statement(flow, "profile_id IN (SELECT value::bigint FROM json_array_elements_text(%(keys)s::json))")


def groups_in_range_statement(flow: SummaryFlow) -> str:
    """The same of the members of a range of primary keys."""
    return _groups_statement(flow, in_range("profile_id", "bigint"))


def _groups_statement(flow: SummaryFlow, chosen: str) -> str:
    table, group = flow.target.table.qualified, flow.reference.column
    types, content = dict(flow.written_columns), flow.content_columns
    record = ", ".join(f"{name} {types[name]}" for name in content)
    given, standing = (", ".join(f"{row}.{name}" for name in content) for row in ("c", "t"))
    return f"""
        WITH touched AS (SELECT DISTINCT family_id FROM sync.profile_member WHERE family_id IS NOT NULL
                         AND {chosen}),
        newest AS (SELECT DISTINCT ON (m.family_id) m.family_id, m.content
                   FROM touched JOIN sync.profile_member AS m USING (family_id)
                   ORDER BY m.family_id, m.updated_at DESC, m.profile_id DESC)
        SELECT n.family_id::text FROM newest AS n CROSS JOIN jsonb_to_record(n.content) AS c({record})
        LEFT JOIN {table} AS t ON t.{group} = n.family_id
        WHERE t.{group} IS NULL OR ({given}) IS DISTINCT FROM ({standing})
        """


def _extras(table: str, key: str, kind: str, alive: str = "") -> str:
    return f"""
        UNION ALL
        SELECT t.{key}::text, 'removed' FROM {table} AS t
        WHERE {in_range(f"t.{key}", kind)} {alive}
          AND NOT EXISTS (SELECT FROM json_array_elements_text(%(present)s::json) AS p(key) WHERE p.key = t.{key}::text)
        """


WRITTEN: Final = "written"
REMOVED: Final = "removed"
WAITING: Final = "waiting"
