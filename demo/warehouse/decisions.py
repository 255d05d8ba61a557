"""Rows of ``decision.applications``: what the decision engine makes of applications, the portal's and others."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from demo.citizen.applications import Filed, filed
from demo.identifiers import drawn_identifier, identifier
from demo.moments import draw_moment
from demo.statements import KeyedTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population

# What a portal application's status says of its decision.
DECISIONS: Final = {
    "in_review": ("PENDING", "in_review"),
    "documents_pending": ("MANUAL_REVIEW", "pending"),
    "approved": ("APPROVED", "decided"),
    "rejected": ("REJECTED", "decided"),
}
OUTCOMES: Final = ("PENDING", "MANUAL_REVIEW", "APPROVED", "APPROVED", "REJECTED")
STATUSES: Final = ("pending", "in_review", "decided", "disbursed", "closed")
REASONS: Final = ("income within the limit", "आयु सीमा", 'document "expired"', "land record \\ differs", "household of 5 👪")

OFF_LINE_SHARE: Final = 0.25
MISSING_SHARE: Final = 0.03
LARGE_SHARE: Final = 0.01
LARGE_REASONS: Final = 400


class Decision(NamedTuple):
    """One decision; fields are the column names, ``reasons`` is JSON text."""

    application_id: UUID
    family_id: UUID
    decision: str
    status: str
    risk_score: Decimal | None
    confidence: Decimal | None
    reasons: str | None
    decision_timestamp: datetime | None
    updated_at: datetime


TABLE: Final = KeyedTable("decision.applications", "application_id", Decision._fields)


def decisions(population: Population, applications: int, now: datetime) -> Iterator[Decision]:
    """Decisions on the portal's applications of known families, and on a quarter as many that were filed elsewhere."""
    rng = Random(f"decisions/{population.seed}")  # noqa: S311 repeatable on purpose
    for position in range(applications):
        application = filed(population, position, now)
        if application.family_id is not None and application.row.status in DECISIONS:
            yield _on(rng, application, application.family_id)
    for position in range(int(applications * OFF_LINE_SHARE)):
        identity = identifier("application filed elsewhere", population.seed, position)
        yield _decision(rng, (identity, population.draw_family(rng).family_id), draw_outcome(rng), draw_moment(rng, now))


def draw_opened(rng: Random, population: Population, now: datetime) -> Decision:
    """Draw an application on which nothing is decided yet."""
    identity = (drawn_identifier(rng, now), population.draw_family(rng).family_id)
    return _decision(rng, identity, ("PENDING", "pending"), now)


def draw_outcome(rng: Random) -> tuple[str, str]:
    """Draw a decision and a status."""
    return rng.choice(OUTCOMES), rng.choice(STATUSES)


def draw_score(rng: Random) -> Decimal | None:
    """0..1 with four decimals, or None."""
    return None if rng.random() < MISSING_SHARE else Decimal(rng.randint(0, 10_000)).scaleb(-4)


def draw_reasons(rng: Random, count: int) -> str:
    """Draw reasons as JSON; a few hundred are so large that they are stored out of line."""
    return json.dumps([{"reason": rng.choice(REASONS), "weight": rng.random()} for _ in range(count)], ensure_ascii=False)


def _on(rng: Random, application: Filed, family_id: UUID) -> Decision:
    row = application.row
    return _decision(rng, (row.id, family_id), DECISIONS[row.status], row.updated_at)


def _decision(rng: Random, identity: tuple[UUID, UUID], outcome: tuple[str, str], moment: datetime) -> Decision:
    reasons = draw_reasons(rng, LARGE_REASONS if rng.random() < LARGE_SHARE else rng.randrange(4))
    return Decision(
        *identity,
        *outcome,
        risk_score=draw_score(rng),
        confidence=draw_score(rng),
        reasons=None if rng.random() < MISSING_SHARE else reasons,
        decision_timestamp=None if rng.random() < MISSING_SHARE else moment,
        updated_at=moment,
    )
