"""The SQL of a match flow, in the order in which a chunk runs it; each statement is one for all rows of the chunk.

Derived from the definition; identifiers come from nowhere else, values are bound. Records are locked in the order of their match
key, those that are made too, so that chunks of different partitions wait for one another and never in a circle.
"""

from __future__ import annotations

from typing import Final

from flows.match_model import Lookup, MatchFlow
from sinks import row_versions

#: ``rows`` is a JSON array of objects with the columns of :data:`~sinks.row_versions.ENVELOPE`, each key at most once. Answers
#: the keys that won, with the version that stood before and the golden record that the citizen was linked to.
GUARD: Final = f"""
    WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(rows)s::json) AS x({row_versions.ENVELOPE})),
    won AS ({row_versions.WINNERS})
    SELECT won.key, v.epoch, v.lsn, v.deleted, p.gr_id::text
    FROM won LEFT JOIN sync.row_version AS v ON v.flow = %(flow)s AND v.key = won.key
             LEFT JOIN sync.person_link AS p ON p.citizen_id = won.key::uuid
    """

#: ``reviews`` is a JSON array. What is open already is not put there twice.
REVIEW: Final = """
    INSERT INTO sync.review_queue (flow, kind, citizen_id, gr_id, reason)
    SELECT %(flow)s, kind, citizen_id, gr_id, reason
    FROM json_to_recordset(%(reviews)s::json) AS x(kind text, citizen_id uuid, gr_id uuid, reason text)
    ORDER BY kind, citizen_id, gr_id
    ON CONFLICT (flow, kind, citizen_id, gr_id) WHERE resolved_at IS NULL DO NOTHING
    """

STALE_KEYS: Final = """
    SELECT key FROM sync.row_version
    WHERE flow = %(flow)s AND NOT deleted AND (epoch, lsn) < (%(epoch)s, %(lsn)s) AND key > %(after)s
    ORDER BY key LIMIT %(limit)s
    """


def lookup_statement(lookup: Lookup) -> str:
    """Those of a JSON array of ``names`` that are known, with their values; a name that fits several is not known."""
    name = _plain(f"t.{lookup.name}")
    return f"""
        SELECT n.name, min(t.{lookup.value}) FROM json_array_elements_text(%(names)s::json) AS n(name)
        JOIN {lookup.table.qualified} AS t ON {name} = {_plain("n.name")} GROUP BY n.name HAVING count(*) = 1
        """


def _plain(name: str) -> str:
    return f"lower(regexp_replace({name}, '[[:space:]]', '', 'g'))"


def making_statement(flow: MatchFlow) -> str:
    """Make the records that do not exist and lock those that do; ``rows`` is a JSON array. Answers the match keys of new ones."""
    match, columns = flow.match.name, (*flow.merged_columns, flow.time)
    signature = flow.signature.column
    return f"""
        INSERT INTO {flow.target.table.qualified} AS t ({flow.identity}, {match}, {", ".join(columns)}, {signature})
        SELECT gen_random_uuid(), {match}, {", ".join(columns)}, %(writer)s
        FROM json_to_recordset(%(rows)s::json) AS x({_record(flow, match, *columns)}) ORDER BY {match}
        ON CONFLICT ({match}) DO UPDATE SET {signature} = excluded.{signature} WHERE false
        RETURNING {match}
        """


def standing_statement(flow: MatchFlow) -> str:
    """How the records of a JSON array of match keys, ``keys``, stand.

    Match key, identity as text, time in microseconds since 1970, whether it is as we wrote it last; epoch, LSN and columns (JSON)
    of what we wrote last.
    """
    match, identity, time = flow.match.name, flow.identity, flow.time
    return f"""
        SELECT t.{match}, t.{identity}::text, extract(epoch FROM t.{time}) * 1000000,
               t.{flow.signature.column} = %(writer)s AND t.{time} = w.updated_at, w.epoch, w.lsn, w.columns::text
        FROM json_array_elements_text(%(keys)s::json) AS k(key)
        JOIN {flow.target.table.qualified} AS t ON t.{match} = k.key
        LEFT JOIN sync.golden_write AS w ON w.gr_id = t.{identity}
        """


def updating_statement(flow: MatchFlow) -> str:
    """Bring records up to date, and note what we wrote; ``rows`` is a JSON array. Answers how many records were changed.

    A row has the identity, the columns that change, and of what is in the record now epoch ``e``, LSN ``l`` and ``columns``.
    """
    identity, columns = flow.identity, (*flow.merged_columns, flow.time)
    changed = {name: f"coalesce(g.{name}, t.{name})" for name in columns} | {flow.signature.column: "%(writer)s"}
    return f"""
        WITH given AS MATERIALIZED (
            SELECT * FROM json_to_recordset(%(rows)s::json)
                          AS x(e integer, l bigint, columns jsonb, {_record(flow, identity, *columns)})),
        noted AS (INSERT INTO sync.golden_write (gr_id, updated_at, epoch, lsn, columns)
                  SELECT g.{identity}, {changed[flow.time]}, g.e, g.l, g.columns
                  FROM given AS g JOIN {flow.target.table.qualified} AS t USING ({identity}) ORDER BY g.{identity}
                  ON CONFLICT (gr_id) DO UPDATE SET updated_at = excluded.updated_at, epoch = excluded.epoch,
                      lsn = excluded.lsn, columns = excluded.columns),
        written AS (UPDATE {flow.target.table.qualified} AS t
                    SET {", ".join(f"{name} = {value}" for name, value in changed.items())}
                    FROM given AS g WHERE t.{identity} = g.{identity}
                      AND ({", ".join(f"t.{name}" for name in changed)}) IS DISTINCT FROM ({", ".join(changed.values())})
                    RETURNING 1)
        SELECT count(*) FROM written
        """


def _record(flow: MatchFlow, *names: str) -> str:
    types = dict(flow.written_columns)
    return ", ".join(f"{name} {types[name]}" for name in names)
