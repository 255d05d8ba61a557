"""The version guard: one statement decides which of the given versions are newer than what stands, and notes them.

Versions stand in one table beside the data, for live and deleted rows alike: a batch and a lane cannot both win, and no row
comes back from the dead.
"""

from __future__ import annotations

from typing import Final

#: Of a given row: its key as text, its version (epoch, position and, where there is one, arrival), and whether it is gone.
ENVELOPE: Final = "k text, e integer, l bigint, a bigint, d boolean"

_GIVEN_VERSION: Final = "(excluded.epoch, excluded.lsn, excluded.arrival)"
_STANDING_VERSION: Final = "(v.epoch, v.lsn, v.arrival)"


def _guard(condition: str) -> str:
    return f"""
    INSERT INTO sync.row_version AS v (flow, key, epoch, lsn, arrival, deleted)
    SELECT %(flow)s, k, e, l, coalesce(a, 0), d FROM given ORDER BY k
    ON CONFLICT (flow, key) DO UPDATE
    SET epoch = excluded.epoch, lsn = excluded.lsn, arrival = excluded.arrival, deleted = excluded.deleted
    WHERE {condition}
    RETURNING v.key"""


#: Inserts the versions of ``given``, a relation with the columns of :data:`ENVELOPE`, and answers the keys that won. At one
#: position of the log an upsert beats a delete. Parameter: ``flow``.
WINNERS: Final = _guard(f"""{_GIVEN_VERSION} > {_STANDING_VERSION}
       OR ({_GIVEN_VERSION} = {_STANDING_VERSION} AND v.deleted AND NOT excluded.deleted)""")

#: The same, but a version that stands already wins, too: its row may have been lost or changed by others.
NOT_OLDER: Final = _guard(f"{_GIVEN_VERSION} >= {_STANDING_VERSION}")
