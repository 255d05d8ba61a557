"""Which tuples make up the target: a row that was written again, even with the same values, is another tuple."""

from collections.abc import Mapping
from datetime import datetime

from tests.support.databases import Administrator

_TUPLES = "SELECT family_id::text, scheme_code, xmin::text, ctid::text FROM eligibility_hints"
_EXPIRING = """
SELECT DISTINCT family_id::text FROM eligibility.eligibility_snapshots
WHERE evaluation_timestamp BETWEEN %s - interval '30 days' AND %s - interval '30 days'
"""

Tuples = Mapping[tuple[str, str], tuple[str, str]]


def tuples(citizen: Administrator) -> Tuples:
    """Return xmin and ctid of every row."""
    return {(family, scheme): (xmin, ctid) for family, scheme, xmin, ctid in citizen.rows(_TUPLES)}


def rewritten(before: Tuples, after: Tuples) -> set[tuple[str, str]]:
    """Return the keys of rows that were inserted, deleted or written again."""
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def expiring(warehouse: Administrator, since: datetime, until: datetime) -> set[str]:
    """Return families in which time alone may have changed the ranking between two instants."""
    return {family for (family,) in warehouse.rows(_EXPIRING, (since, until))}
