"""What the target must hold, by the independent SQL over the source, and what it holds."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.support.databases import Administrator

_EXPECTED = (Path(__file__).parent.parent / "oracle" / "eligibility_hints.sql").read_text()
_STANDING = """
SELECT family_id::text, scheme_code, eligibility_status, eligibility_score::text, confidence::text, explanation,
       rank::int, updated_at
FROM eligibility_hints ORDER BY family_id, scheme_code COLLATE "C"
"""
_QUARANTINED = "SELECT row_key::bigint FROM sync.dead_letter WHERE status IN ('open', 'replayed') AND row_key IS NOT NULL"
_FAMILIES = "SELECT DISTINCT family_id::text FROM eligibility.eligibility_snapshots WHERE snapshot_id = ANY(%s)"

Hint = tuple[Any, ...]


@dataclass(frozen=True)
class Comparison:
    """Oracle against target at the instant `as_of`."""

    as_of: datetime
    expected: int
    missing: tuple[Hint, ...]
    extra: tuple[Hint, ...]

    @property
    def equal(self) -> bool:
        """Whether the target holds what it must, to the last digit."""
        return not (self.missing or self.extra)

    def __str__(self) -> str:
        return (
            f"as of {self.as_of}, of {self.expected} hints {len(self.missing)} are missing {self.missing[:2]}"
            f" and {len(self.extra)} are too many {self.extra[:2]}"
        )


def compare(warehouse: Administrator, citizen: Administrator) -> Comparison:
    """Compare all families but those of quarantined rows, whose last good versions are known to the product alone."""
    hidden = _quarantined_families(warehouse, citizen)
    as_of = citizen.value("SELECT clock_timestamp()")
    standing = _visible(citizen.rows(_STANDING), hidden)
    expected = _visible(warehouse.rows(_EXPECTED, {"as_of": as_of}), hidden)
    missing, extra = set(expected) - set(standing), set(standing) - set(expected)
    return Comparison(as_of, len(expected), tuple(missing), tuple(extra))


def _quarantined_families(warehouse: Administrator, citizen: Administrator) -> set[str]:
    rows = [number for (number,) in citizen.rows(_QUARANTINED)]
    return {family for (family,) in warehouse.rows(_FAMILIES, (rows,))}


def _visible(hints: list[Hint], hidden: Collection[str]) -> list[Hint]:
    return [hint for hint in hints if hint[0] not in hidden]
