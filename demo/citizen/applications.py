"""Rows of ``public.service_applications``: what users apply for, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from demo.catalogue import Scheme, schemes
from demo.citizen.citizens import draw_user
from demo.identifiers import identifier
from demo.moments import draw_later, draw_moment
from demo.scheme_rows import status_of
from demo.statements import KeyedTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population

STATUSES: Final = (
    "submitted", "submitted", "in_review", "in_review", "documents_pending", "approved", "approved", "approved",
    "rejected", "withdrawn",
)  # fmt: skip
NO_APPROVAL_TIME_SHARE: Final = 0.05
NO_SUBMISSION_TIME_SHARE: Final = 0.02


class Application(NamedTuple):
    """One application; fields are the column names."""

    id: UUID
    citizen_id: UUID
    scheme_id: UUID
    status: str
    submitted_at: datetime | None
    approved_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """An application of the history with the family behind it: None where the warehouse knows none."""

    row: Application
    family_id: UUID | None


TABLE: Final = KeyedTable("public.service_applications", "id", Application._fields)


def applications(population: Population, count: int, now: datetime) -> Iterator[Application]:
    """``count`` applications, submitted within the 60 days before ``now``."""
    return (filed(population, position, now).row for position in range(count))


def filed(population: Population, position: int, now: datetime) -> Filed:
    """Return the application at a position from 0; both databases know the same ones."""
    rng = Random(f"application/{population.seed}/{position}")  # noqa: S311 repeatable on purpose
    citizen_id, family_id = draw_user(rng, population)
    status, submitted_at = rng.choice(STATUSES), draw_moment(rng, now)
    updated_at = submitted_at if status == "submitted" else draw_later(rng, submitted_at, now)
    row = Application(
        id=identifier("application", population.seed, position),
        citizen_id=citizen_id,
        scheme_id=draw_open_scheme(rng).scheme_id,
        status=status,
        submitted_at=None if rng.random() < NO_SUBMISSION_TIME_SHARE else submitted_at,
        approved_at=_approved_at(rng, status, updated_at),
        updated_at=updated_at,
    )
    return Filed(row, family_id)


def draw_open_scheme(rng: Random) -> Scheme:
    """Draw a scheme that users see: one that is no draft."""
    return next(scheme for scheme in iter(lambda: rng.choice(schemes()), None) if status_of(scheme) != "DRAFT")


def _approved_at(rng: Random, status: str, updated_at: datetime) -> datetime | None:
    if status != "approved" or rng.random() < NO_APPROVAL_TIME_SHARE:
        return None
    return updated_at - timedelta(seconds=rng.randrange(60))
