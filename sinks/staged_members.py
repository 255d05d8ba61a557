"""The SQL that compares staged members of a summary flow with those that are kept, and writes what differs: as events do, by set.

Locks are taken in the order of :mod:`sinks.summary_rows`. Parameters: ``flow``, the fence (``epoch``, ``lsn``), the range of the
page (``low``, ``high``), ``named``.
"""

from __future__ import annotations

from typing import Final

from flows.summary_model import SummaryFlow
from sinks import row_versions, summary_rows
from sinks.mapped_rows import MEMBER_TIME, REFERENCE, TO_COMPARE
from sinks.source_rows import in_range
from sinks.staging import staged, temporary

_DIFFERING: Final = "pg_temp.differing_members"
_WON: Final = "pg_temp.won_members"
_REFERENCES: Final = "pg_temp.found_references"
_GROUPS: Final = "pg_temp.touched_groups"
_TOUCHED: Final = f"SELECT DISTINCT family_id FROM {_GROUPS} WHERE family_id IS NOT NULL"

#: The tables of the steps, beside the one of the staged rows.
TABLES: Final = "; ".join(
    (
        *(temporary(name, (summary_rows.MEMBER,)) for name in (_DIFFERING, _WON)),
        temporary(_REFERENCES, ("key uuid", "family_id uuid")),
        temporary(_GROUPS, ("family_id uuid",)),
    )
)
_COLUMNS: Final = "k, e, l, a, d, profile_id, gr_id, family_id, updated_at, content"


def compare_statement(flow: SummaryFlow, *, extras: bool) -> str:
    """Note members that differ; answers how many, how many are too much, and how many wait.

    An unknown member waits for its reference, one that has only moved for the flow's own look at notes.
    """
    content = f"c.k, c.{REFERENCE}, NULL::uuid, c.{MEMBER_TIME}, c.content"
    members = f"SELECT {_envelope('c.k', gone=False)}, {content} FROM compared AS c"
    return f"""
        WITH compared AS MATERIALIZED ({_compared(flow)}),
        extra AS MATERIALIZED ({_extra(flow) if extras else "SELECT NULL::bigint AS profile_id WHERE false"}),
        noted AS (INSERT INTO {_DIFFERING} ({_COLUMNS}) {members} WHERE NOT c.waits
                  UNION ALL SELECT {_envelope("x.profile_id", gone=True)}, x.profile_id, NULL, NULL, NULL, NULL FROM extra AS x)
        SELECT (SELECT count(*) FROM compared WHERE NOT waits), (SELECT count(*) FROM extra),
               (SELECT count(*) FROM compared WHERE waits)
        """


def _envelope(key: str, *, gone: bool) -> str:
    return f"{key}::text, %(epoch)s::integer, %(lsn)s::bigint, NULL::bigint, {str(gone).lower()}"


def _compared(flow: SummaryFlow) -> str:
    """Staged members that are unknown, differ, or are in another group than what they refer to."""
    reference, content = flow.reference, flow.content_columns
    standing = ", ".join(f"o.{name}" for name in content)
    given = ", ".join(f"s.{name}" for name in content)
    pairs = ", ".join(f"'{name}', s.{name}" for name in content)
    same = f"((m.gr_id, m.updated_at, {standing}) IS NOT DISTINCT FROM (s.{REFERENCE}, s.{MEMBER_TIME}, {given}))"
    moving = f"EXISTS (SELECT FROM sync.profile_moved AS n WHERE n.gr_id = s.{REFERENCE})"
    return f"""
        SELECT s.row_key AS k, s.{REFERENCE}, s.{MEMBER_TIME}, jsonb_build_object({pairs}) AS content,
               (m.profile_id IS NULL AND r.{reference.key} IS NULL) OR ({same} AND {moving}) AS waits
        FROM {staged(flow)} AS s
        LEFT JOIN {reference.table.qualified} AS r ON r.{reference.key} = s.{REFERENCE}
        LEFT JOIN sync.profile_member AS m ON m.profile_id = s.row_key AND {in_range("m.profile_id", "bigint")}
        LEFT JOIN LATERAL jsonb_to_record(m.content) AS o({_record(flow)}) ON true
        WHERE {TO_COMPARE}
          AND (m.profile_id IS NULL OR NOT {same} OR m.family_id IS DISTINCT FROM r.{reference.value})"""


def _extra(flow: SummaryFlow) -> str:
    return f"""
        SELECT m.profile_id FROM sync.profile_member AS m
        WHERE {in_range("m.profile_id", "bigint")}
          AND NOT EXISTS (SELECT FROM {staged(flow)} AS s WHERE s.row_key = m.profile_id)"""


def writing_statements(flow: SummaryFlow) -> tuple[str, str, str]:
    """Write what was noted: before the guard, the guard, behind it.

    The guard answers how many are written and removed, and, as JSON, their keys if they are ``named``.
    """
    references = f"SELECT gr_id FROM {_DIFFERING} WHERE NOT d"
    absent = f"SELECT DISTINCT gr_id FROM {_DIFFERING} WHERE NOT d AND gr_id NOT IN (SELECT key FROM {_REFERENCES})"
    before = (
        f"INSERT INTO {_REFERENCES} {summary_rows.families_statement(flow, references)}",
        summary_rows.noting(absent),
    )
    behind = (
        f"INSERT INTO {_GROUPS} {summary_rows.stood(f'SELECT profile_id FROM {_WON}')}",
        f"WITH given AS MATERIALIZED (SELECT * FROM {_WON}), {summary_rows.WRITING}",
        f"INSERT INTO {_GROUPS} SELECT family_id FROM {_WON}",
        summary_rows.locking(_TOUCHED),
        summary_rows.summaries_statement(flow, _TOUCHED),
    )
    return "; ".join(before), _GUARD, "; ".join(behind)


_GUARD: Final = f"""
    WITH given AS MATERIALIZED (SELECT k, e, l, a, d FROM {_DIFFERING}), won AS ({row_versions.WINNERS}),
    kept AS (INSERT INTO {_WON} ({_COLUMNS})
             SELECT g.k, g.e, g.l, g.a, g.d, g.profile_id, g.gr_id, r.family_id, g.updated_at, g.content
             FROM {_DIFFERING} AS g JOIN won ON won.key = g.k LEFT JOIN {_REFERENCES} AS r ON r.key = g.gr_id
             RETURNING k, d)
    SELECT count(*), json_agg(k) FILTER (WHERE %(named)s AND NOT d)::text, json_agg(k) FILTER (WHERE %(named)s AND d)::text
    FROM kept
    """


def groups_statement(flow: SummaryFlow) -> str:
    """Of the groups of staged members that were not written: those whose summary is not that of the newest member."""
    written = f"SELECT FROM {_WON} AS w WHERE w.profile_id = s.row_key"
    others = f"SELECT s.row_key FROM {staged(flow)} AS s WHERE NOT EXISTS ({written})"
    return _groups_statement(flow, f"profile_id IN ({others})")


def groups_in_range_statement(flow: SummaryFlow) -> str:
    """The same of all groups of the members of a range of primary keys."""
    return _groups_statement(flow, in_range("profile_id", "bigint"))


def _groups_statement(flow: SummaryFlow, chosen: str) -> str:
    table, group, content = flow.target.table.qualified, flow.reference.column, flow.content_columns
    given, standing = (", ".join(f"{row}.{name}" for name in content) for row in ("c", "t"))
    return f"""
        WITH touched AS (SELECT DISTINCT family_id FROM sync.profile_member WHERE family_id IS NOT NULL
                         AND {chosen}),
        newest AS (SELECT DISTINCT ON (m.family_id) m.family_id, m.content
                   FROM touched JOIN sync.profile_member AS m USING (family_id)
                   ORDER BY m.family_id, m.updated_at DESC, m.profile_id DESC)
        SELECT n.family_id::text FROM newest AS n CROSS JOIN jsonb_to_record(n.content) AS c({_record(flow)})
        LEFT JOIN {table} AS t ON t.{group} = n.family_id
        WHERE t.{group} IS NULL OR ({given}) IS DISTINCT FROM ({standing})
        """


def _record(flow: SummaryFlow) -> str:
    types = dict(flow.written_columns)
    return ", ".join(f"{name} {types[name]}" for name in flow.content_columns)
