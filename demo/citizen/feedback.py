"""Rows of ``public.feedback``: what users say."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from psycopg import sql

from demo.citizen.applications import draw_open_scheme
from demo.citizen.citizens import NOBODY, draw_user
from demo.citizen.citizens import TABLE as CITIZENS
from demo.identifiers import drawn_identifier, identifier
from demo.moments import draw_moment
from demo.recipes import Recipe, Recipes, Situation
from demo.statements import KeyedTable, insert_child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population
    from demo.statements import Step

TYPES: Final = ("complaint", "praise", "suggestion", "question")
COMMENTS: Final = (
    "The form asked for my income twice.",
    "बहुत अच्छा, धन्यवाद 🙏",
    'It says "not eligible" \\ why?',
    "Line one\nline two",
    "",
    None,
)
ABOUT_A_SCHEME_SHARE: Final = 0.7


class Feedback(NamedTuple):
    """One opinion; fields are the column names."""

    id: UUID
    citizen_id: UUID
    scheme_id: UUID | None
    feedback_type: str
    rating: int | None
    comment: str | None
    created_at: datetime


TABLE: Final = KeyedTable("public.feedback", "id", Feedback._fields)


class FeedbackChange(StrEnum):
    """One thing that users do to ``public.feedback``."""

    GIVEN = "feedback given"


def feedback(population: Population, count: int, now: datetime) -> Iterator[Feedback]:
    """``count`` opinions of the 60 days before ``now``."""
    rng = Random(f"feedback/{population.seed}")  # noqa: S311 repeatable on purpose
    for position in range(count):
        citizen_id, _ = draw_user(rng, population)
        yield _feedback(rng, identifier("feedback", population.seed, position), citizen_id, draw_moment(rng, now))


def _feedback(rng: Random, identity: UUID, citizen_id: UUID, created_at: datetime) -> Feedback:
    return Feedback(
        id=identity,
        citizen_id=citizen_id,
        scheme_id=draw_open_scheme(rng).scheme_id if rng.random() < ABOUT_A_SCHEME_SHARE else None,
        feedback_type=rng.choice(TYPES),
        rating=rng.choice((1, 2, 3, 4, 5, 5, None)),
        comment=rng.choice(COMMENTS),
        created_at=created_at,
    )


def _given(situation: Situation) -> tuple[Step, ...]:
    rng, now = situation.rng, situation.now
    row = _feedback(rng, drawn_identifier(rng, now), NOBODY, now)
    values = row._asdict() | {"citizen_id": sql.SQL("parent.id")}
    return (insert_child(TABLE, values, CITIZENS, CITIZENS.draw_place(rng)),)


RECIPES: Final[Recipes] = {FeedbackChange.GIVEN: Recipe(1, _given)}
