"""Links from citizens to golden records, and the rows of other flows that carry them.

A chunk of a flow with a link holds the lock of links shared while it looks links up and writes; rows of citizens without one are
noted. Who makes links holds it exclusively, and fills the noted rows. So a row either sees the link, or its note is seen by who
makes it. See docs/decisions/0020-links-are-filled-by-who-makes-them.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flows.definition import Definition, PersonLink

# PostgreSQL hashes the name, so that no other program meets the lock.
_LOCK: Final = "hashtextextended('smart-sync/person-links', 0)"

#: Each a statement of its own before the one that reads: a statement sees what was committed before it began, not before it
#: got a lock.
LOCK_SHARED: Final = f"SELECT pg_advisory_xact_lock_shared({_LOCK});"
LOCK_EXCLUSIVE: Final = f"SELECT pg_advisory_xact_lock({_LOCK});"

#: The golden record of a row's citizen, or null, where :func:`link_join` is.
LINKED: Final = "p.gr_id"


def is_link(flow: Definition, name: str) -> bool:
    """Whether the target column is the flow's link, which does not come with a row but is looked up."""
    return flow.link is not None and name == flow.link.column


def link_join(link: PersonLink) -> str:
    """Join what is known of the citizens of the rows ``g``."""
    return f"LEFT JOIN sync.person_link AS p ON p.citizen_id = g.{link.citizen}"


def kept_link(link: PersonLink) -> str:
    """The link of a standing row ``t`` after an upsert: what is known stays, unless the row is another citizen's now."""
    new, standing = f"excluded.{link.column}", f"t.{link.column}"
    return f"CASE WHEN t.{link.citizen} = excluded.{link.citizen} THEN coalesce({new}, {standing}) ELSE {new} END"


def noting(link: PersonLink, rows: str) -> str:
    """Note those of ``rows``, FROM and WHERE with :func:`link_join`, whose citizen has no link. Parameter: ``flow``."""
    return f"""INSERT INTO sync.unlinked (citizen_id, flow, key)
               SELECT g.{link.citizen}, %(flow)s, g.{link.row}::text {rows}
               AND g.{link.citizen} IS NOT NULL AND p.citizen_id IS NULL
               ORDER BY 1, 3 ON CONFLICT DO NOTHING"""


def linking_statement(flows: Iterable[Definition]) -> str:
    """Make links and fill the noted rows of ``flows``: ``links`` is a JSON array of objects with ``citizen_id`` and ``gr_id``.

    Run it under :data:`LOCK_EXCLUSIVE`. A note of a row that has another citizen by now fills nothing.
    """
    filled = "".join(f", filled_{flow.name} AS ({_filling(flow, flow.link)})" for flow in flows if flow.link)
    return f"""
        WITH given AS MATERIALIZED (SELECT * FROM json_to_recordset(%(links)s::json) AS x(citizen_id uuid, gr_id uuid)),
        linked AS (INSERT INTO sync.person_link AS p (citizen_id, gr_id)
                   SELECT citizen_id, gr_id FROM given ORDER BY citizen_id
                   ON CONFLICT (citizen_id) DO UPDATE SET gr_id = excluded.gr_id WHERE p.gr_id <> excluded.gr_id),
        noted AS (DELETE FROM sync.unlinked AS u USING given AS g WHERE u.citizen_id = g.citizen_id
                  RETURNING u.flow, u.key, u.citizen_id, g.gr_id)
        {filled}
        SELECT count(*) FROM noted
        """


def _filling(flow: Definition, link: PersonLink) -> str:
    row = flow.target.column(link.row)
    return f"""UPDATE {flow.target.table.qualified} AS t SET {link.column} = n.gr_id FROM noted AS n
               WHERE n.flow = '{flow.name}' AND t.{link.row} = n.key::{row.type} AND t.{link.citizen} = n.citizen_id
                 AND t.{link.column} IS DISTINCT FROM n.gr_id"""
