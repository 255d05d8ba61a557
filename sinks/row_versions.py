"""The version guard: one statement decides which of the given versions are newer than what stands, and notes them.

Versions stand in one table beside the data, for live and deleted rows alike: a batch and a lane cannot both win, and no row
comes back from the dead.
"""

from __future__ import annotations

from typing import Final

#: Of a given row: its key as text, its version, and whether it is gone.
ENVELOPE: Final = "k text, e integer, l bigint, d boolean"

#: Inserts the versions of ``given``, a relation with the columns of :data:`ENVELOPE`, and answers the keys that won. At one
#: position of the log an upsert beats a delete. Parameter: ``flow``.
WINNERS: Final = """
    INSERT INTO sync.row_version AS v (flow, key, epoch, lsn, deleted)
    SELECT %(flow)s, k, e, l, d FROM given ORDER BY k
    ON CONFLICT (flow, key) DO UPDATE SET epoch = excluded.epoch, lsn = excluded.lsn, deleted = excluded.deleted
    WHERE (excluded.epoch, excluded.lsn) > (v.epoch, v.lsn)
       OR ((excluded.epoch, excluded.lsn) = (v.epoch, v.lsn) AND v.deleted AND NOT excluded.deleted)
    RETURNING v.key"""
