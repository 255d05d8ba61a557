"""Rows of ``eligibility.eligibility_snapshots``: what the platform's rule engine would have found."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from demo.explanations import explain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population

TABLE = "eligibility.eligibility_snapshots"
HISTORY = timedelta(days=40)

STATUS_WEIGHTS = {
    "RULE_ELIGIBLE": 38,
    "POSSIBLE_ELIGIBLE": 27,
    "NOT_ELIGIBLE": 24,
    "NEEDS_REVIEW": 8,
    "INSUFFICIENT_DATA": 3,
}
_STATUSES = tuple(STATUS_WEIGHTS)
_CUMULATIVE = tuple(accumulate(STATUS_WEIGHTS.values()))

FAMILY_LEVEL_SHARE = 0.3
NIGHTLY_SHARE = 0.25
MISSING_SCORE_SHARE = 0.03
TIED_SCORE_SHARE = 0.35
HALFWAY_SCORE_SHARE = 0.1


class Evaluation(NamedTuple):
    """One snapshot without its ``snapshot_id``, which the database assigns; fields are the column names."""

    family_id: UUID
    member_id: UUID | None
    scheme_code: str
    evaluation_status: str
    eligibility_score: Decimal | None
    confidence_score: Decimal | None
    explanation: str | None
    evaluation_timestamp: datetime
    updated_at: datetime


def evaluate(rng: Random, population: Population, evaluated_at: datetime, updated_at: datetime) -> Evaluation:
    """Draw one evaluation of one family, or of one of its members."""
    family = population.draw_family(rng)
    scheme = family.draw_scheme(rng)
    return Evaluation(
        family_id=family.family_id,
        member_id=None if rng.random() < FAMILY_LEVEL_SHARE else rng.choice(family.member_ids),
        scheme_code=scheme.code,
        evaluation_status=draw_status(rng),
        eligibility_score=draw_score(rng),
        confidence_score=draw_score(rng),
        explanation=explain(rng, scheme),
        evaluation_timestamp=evaluated_at,
        updated_at=updated_at,
    )


def draw_status(rng: Random) -> str:
    """One of the platform's statuses, by :data:`STATUS_WEIGHTS`."""
    return rng.choices(_STATUSES, cum_weights=_CUMULATIVE)[0]


def draw_score(rng: Random) -> Decimal | None:
    """0..1 with four decimals, or None. Many are equal, many lie halfway between two values of two decimals."""
    draw = rng.random()
    if draw < MISSING_SCORE_SHARE:
        return None
    if draw < MISSING_SCORE_SHARE + TIED_SCORE_SHARE:
        return _ten_thousandths(rng.randint(0, 20) * 500)
    if draw < MISSING_SCORE_SHARE + TIED_SCORE_SHARE + HALFWAY_SCORE_SHARE:
        return _ten_thousandths(rng.randrange(100) * 100 + 50)
    return _ten_thousandths(round(10_000 * rng.betavariate(4, 2)))


def history(population: Population, count: int, now: datetime) -> Iterator[Evaluation]:
    """``count`` evaluations over the 40 days before ``now``, oldest first but for some delay; one at a time."""
    rng = Random(f"history/{population.seed}")  # noqa: S311 repeatable on purpose
    for position in range(count):
        evaluated_at = _evaluated_at(rng, (position + 0.5) / count, now)
        updated_at = min(now, evaluated_at + timedelta(seconds=rng.random() * 90))
        yield evaluate(rng, population, evaluated_at, updated_at)


def _evaluated_at(rng: Random, progress: float, now: datetime) -> datetime:
    progress = min(1.0, max(0.0, progress + rng.gauss(0, 0.01)))
    moment = now - HISTORY * (1 - progress)
    if rng.random() >= NIGHTLY_SHARE:
        return moment
    nightly_run = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return max(nightly_run, now - HISTORY)


def _ten_thousandths(number: int) -> Decimal:
    return Decimal(number).scaleb(-4)
