"""The rules of eligibility hints in plain Python over the rows of the source. Shares nothing with the product."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple


class Row(NamedTuple):
    """A row of eligibility_snapshots."""

    snapshot_id: int
    family_id: str
    member_id: str | None
    scheme_code: str
    evaluation_status: str
    eligibility_score: Decimal | None
    confidence_score: Decimal | None
    explanation: str | None
    evaluation_timestamp: datetime
    updated_at: datetime | None


def hints(rows: list[Row], as_of: datetime) -> list[tuple]:
    """(family, scheme, status, score, confidence, explanation, rank, updated_at), sorted by family and scheme."""
    newest: dict[tuple, Row] = {}
    for row in sorted(rows, key=lambda r: (r.evaluation_timestamp, r.snapshot_id)):
        newest[row.family_id, row.scheme_code, row.member_id] = row
    counting = [
        row
        for row in newest.values()
        if row.evaluation_status in {"RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE"}
        and row.evaluation_timestamp >= as_of - timedelta(days=30)
    ]
    best: dict[tuple, Row] = {}
    for row in sorted(counting, key=_quality):
        best[row.family_id, row.scheme_code] = row
    found = []
    for family in {row.family_id for row in best.values()}:
        mine = sorted((row for row in best.values() if row.family_id == family), key=lambda r: r.scheme_code)
        mine.sort(key=lambda r: (r.eligibility_score or Decimal(0), r.evaluation_timestamp), reverse=True)
        found += [_hint(row, place) for place, row in enumerate(mine[:5], 1)]
    return sorted(found, key=lambda hint: hint[:2])


def _quality(row: Row) -> tuple:
    return (row.eligibility_score or Decimal(0), row.evaluation_timestamp, row.snapshot_id)


def _hint(row: Row, place: int) -> tuple:
    score, confidence = (
        (value or Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP) for value in (row.eligibility_score, row.confidence_score)
    )
    text = "No explanation available" if row.explanation is None else row.explanation[:500]
    return (row.family_id, row.scheme_code, row.evaluation_status, score, confidence, text, place, row.updated_at)
