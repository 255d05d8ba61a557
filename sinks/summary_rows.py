"""The SQL of a summary flow: members beside the target, and the summary of each group that they touch.

Derived from the definition; identifiers come from nowhere else, values are bound. Locks are taken in one order: references,
notes, row versions, members by primary key, groups. A group's lock is taken before its members are read, by a statement of its
own, so that of two lanes that touch one group the later sees what the earlier has written.
"""

from __future__ import annotations

from typing import Final

from flows.summary_model import SummaryFlow
from sinks import row_versions

#: A given member: key, version, whether it is gone, and what stands in ``sync.profile_member``.
MEMBER: Final = f"{row_versions.ENVELOPE}, profile_id bigint, gr_id uuid, family_id uuid, updated_at timestamptz, content jsonb"
_GIVEN: Final = f"given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(rows)s::json) AS x({MEMBER}))"


def _listed(parameter: str, kind: str) -> str:
    """A SELECT of the elements of a parameter, a JSON array."""
    return f"SELECT value::{kind} FROM json_array_elements_text(%({parameter})s::json)"


#: ``rows`` is a JSON array of members, each key at most once. Answers the keys whose version won.
GUARD: Final = f"WITH {_GIVEN}, won AS ({row_versions.WINNERS}) SELECT key FROM won"

#: Of ``rows`` that the guard has refused: the keys that are gone as of just that version. A statement of its own: another lane
#: may have noted that only while the guard waited for it, which the guard's own snapshot does not show.
GONE_BEFORE: Final = f"""
    WITH {_GIVEN}
    SELECT g.k FROM given AS g JOIN sync.row_version AS v ON v.flow = %(flow)s AND v.key = g.k
    WHERE v.deleted AND (v.epoch, v.lsn) = (g.e, g.l)
    """


def stood(keys: str) -> str:
    """Lock the members with these primary keys, a SELECT; answers the groups that they were in."""
    return f"SELECT family_id FROM sync.profile_member WHERE profile_id IN ({keys}) ORDER BY profile_id FOR UPDATE"


#: The same of a JSON array of ``keys``.
STOOD: Final = stood(_listed("keys", "bigint"))

#: Write the members of ``given``; those that are gone go.
WRITING: Final = """
    gone AS (DELETE FROM sync.profile_member AS m USING given AS g WHERE g.d AND m.profile_id = g.profile_id)
    INSERT INTO sync.profile_member AS m (profile_id, gr_id, family_id, updated_at, content)
    SELECT profile_id, gr_id, family_id, updated_at, content FROM given WHERE NOT d ORDER BY profile_id
    ON CONFLICT (profile_id) DO UPDATE SET gr_id = excluded.gr_id, family_id = excluded.family_id,
        updated_at = excluded.updated_at, content = excluded.content
    """

#: The same of ``rows``, a JSON array.
MEMBERS: Final = f"WITH {_GIVEN}, {WRITING}"


def locking(groups: str) -> str:
    """Lock groups, a SELECT of each once, in order. A group that is new here is made, so that there is something to lock."""
    return f"""
        INSERT INTO sync.family (family_id) {groups} ORDER BY 1
        ON CONFLICT (family_id) DO UPDATE SET family_id = excluded.family_id WHERE false
        """


_GROUPS: Final = "SELECT DISTINCT value::uuid AS family_id FROM json_array_elements_text(%(groups)s::json)"
#: The same of a JSON array of ``groups``.
LOCK_GROUPS: Final = locking(_GROUPS)

# A note that is there already is touched: who works on it does not see what is not committed yet, and must look once more.
_TOUCHING: Final = "ON CONFLICT (gr_id) DO UPDATE SET changes = n.changes + 1"


def noting(keys: str) -> str:
    """Note references, a SELECT of each once, that are to be looked up again."""
    return f"INSERT INTO sync.profile_moved AS n (gr_id) {keys} ORDER BY 1 {_TOUCHING}"


#: The same of a JSON array of ``keys``.
NOTE: Final = noting("SELECT DISTINCT value::uuid FROM json_array_elements_text(%(keys)s::json)")

#: Remove notes of ``keys``, a JSON array.
SETTLE: Final = """
    DELETE FROM sync.profile_moved WHERE gr_id IN (SELECT value::uuid FROM json_array_elements_text(%(keys)s::json))
    """

#: Move locked members, ``moves`` a JSON array, to other groups.
MOVE: Final = """
    UPDATE sync.profile_member AS m SET family_id = x.family_id
    FROM json_to_recordset(%(moves)s::json) AS x(profile_id bigint, family_id uuid) WHERE m.profile_id = x.profile_id
    """


def families_statement(flow: SummaryFlow, keys: str | None = None) -> str:
    """Those of ``keys`` that are there, with their groups or null; they stay as they are until the end.

    ``keys``: a SELECT of references; without it the parameter of that name, a JSON array.
    """
    reference = flow.reference
    return f"""
        SELECT r.{reference.key}, r.{reference.value} FROM {reference.table.qualified} AS r
        WHERE r.{reference.key} IN ({keys or _listed("keys", flow.reference_source.type)}) ORDER BY r.{reference.key} FOR SHARE
        """


def summaries_statement(flow: SummaryFlow, groups: str = _GROUPS) -> str:
    """Compute the summaries of ``groups``, a SELECT of each once; answers rows removed and rows written.

    Without it the parameter of that name, a JSON array.
    """
    table, group = flow.target.table.qualified, flow.reference.column
    types, content = dict(flow.written_columns), flow.content_columns
    record = ", ".join(f"{name} {types[name]}" for name in content)
    return f"""
        WITH touched AS MATERIALIZED ({groups}),
        newest AS MATERIALIZED (SELECT DISTINCT ON (m.family_id) m.family_id, m.content
                                FROM touched JOIN sync.profile_member AS m USING (family_id)
                                ORDER BY m.family_id, m.updated_at DESC, m.profile_id DESC),
        gone AS (DELETE FROM {table} AS t USING touched
                 WHERE t.{group} = touched.family_id AND NOT EXISTS (SELECT FROM newest WHERE family_id = touched.family_id)
                 RETURNING 1),
        written AS (INSERT INTO {table} AS t ({group}, {", ".join(content)})
                    SELECT n.family_id, {", ".join(f"x.{name}" for name in content)}
                    FROM newest AS n CROSS JOIN jsonb_to_record(n.content) AS x({record}) ORDER BY n.family_id
                    ON CONFLICT ({group}) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in content)}
                    WHERE ({", ".join(f"t.{name}" for name in content)})
                          IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in content)})
                    RETURNING 1)
        SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM written)
        """


def following_statement(flow: SummaryFlow) -> str:
    """Note references of ``keys``, a JSON array, whose members do not follow them yet. For whoever writes the references."""
    reference = flow.reference
    return f"""
        INSERT INTO sync.profile_moved AS n (gr_id)
        SELECT DISTINCT m.gr_id FROM json_array_elements_text(%(keys)s::json) AS k(key)
        JOIN sync.profile_member AS m ON m.gr_id = k.key::{flow.reference_source.type}
        LEFT JOIN {reference.table.qualified} AS r ON r.{reference.key} = m.gr_id
        WHERE m.family_id IS DISTINCT FROM r.{reference.value}
           OR EXISTS (SELECT FROM sync.profile_moved AS o WHERE o.gr_id = m.gr_id)
        ORDER BY m.gr_id {_TOUCHING}
        """


def _due(flow: SummaryFlow) -> str:
    """Of a note ``n``: not one that waits for a golden record that is gone, with members that count no more."""
    reference = flow.reference
    return f"""(EXISTS (SELECT FROM {reference.table.qualified} AS r WHERE r.{reference.key} = n.gr_id)
                OR EXISTS (SELECT FROM sync.profile_member AS m WHERE m.gr_id = n.gr_id AND m.family_id IS NOT NULL)
                OR NOT EXISTS (SELECT FROM sync.profile_member AS m WHERE m.gr_id = n.gr_id))"""


def due_statement(flow: SummaryFlow) -> str:
    """Whether there is a note to work on; a look that needs no lock."""
    return f"SELECT EXISTS (SELECT FROM sync.profile_moved AS n WHERE {_due(flow)})"


def taking_statement(flow: SummaryFlow, limit: int) -> str:
    """Lock some notes that nobody else works on."""
    return f"""
        SELECT n.gr_id::text FROM sync.profile_moved AS n WHERE {_due(flow)}
        ORDER BY n.gr_id LIMIT {limit} FOR UPDATE SKIP LOCKED
        """


def moving_statement(flow: SummaryFlow) -> str:
    """Lock the members of ``keys``, a JSON array of references.

    Primary key, reference, group before, group now, and whether the reference is there.
    """
    reference = flow.reference
    return f"""
        SELECT m.profile_id, m.gr_id::text, m.family_id::text, r.{reference.value}::text, r.{reference.key} IS NOT NULL
        FROM sync.profile_member AS m LEFT JOIN {reference.table.qualified} AS r ON r.{reference.key} = m.gr_id
        WHERE m.gr_id IN (SELECT value::uuid FROM json_array_elements_text(%(keys)s::json))
        ORDER BY m.profile_id FOR UPDATE OF m
        """


def strays_statement(flow: SummaryFlow) -> str:
    """Groups in the target that have no member."""
    group = flow.reference.column
    return f"""
        SELECT t.{group}::text FROM {flow.target.table.qualified} AS t
        WHERE NOT EXISTS (SELECT FROM sync.profile_member AS m WHERE m.family_id = t.{group})
        """


#: Primary keys behind ``after`` and golden records of members that are older than a fence, in order.
STALE_MEMBERS: Final = """
    SELECT v.key, m.gr_id::text FROM sync.row_version AS v JOIN sync.profile_member AS m ON m.profile_id = v.key::bigint
    WHERE v.flow = %(flow)s AND NOT v.deleted AND (v.epoch, v.lsn) < (%(epoch)s, %(lsn)s) AND v.key > %(after)s
    ORDER BY v.key LIMIT %(limit)s
    """
