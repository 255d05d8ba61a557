"""People: who lives in the families, and what is known of them. Like families, everybody follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Final

from demo.identifiers import identifier, known_number, mobile_number
from demo.names import GENDERS, draw_email, draw_name
from demo.places import DISTRICTS, District, draw_pincode, draw_village
from demo.population import HOUSEHOLD_SIZES, Population

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

REGISTERED_SHARE: Final = 0.45
NO_MAIL_SHARE: Final = 0.4
NO_MOBILE_SHARE: Final = 0.1

_BORN_FROM: Final = date(1931, 1, 1)
_BORN_WITHIN_DAYS: Final = 34_000
_LARGEST_HOUSEHOLD: Final = max(HOUSEHOLD_SIZES)


@dataclass(frozen=True, slots=True)
class Details:
    """What a person may tell of oneself."""

    full_name: str
    date_of_birth: date
    gender: str | None
    mobile_number: str | None
    email: str | None
    district: District
    village: str
    pincode: str


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a family. ``registered``: also a user of the portal, as ``citizen_id``, with the same ``number``."""

    family_id: UUID
    gr_id: UUID
    citizen_id: UUID
    number: str
    registered: bool
    details: Details


def draw_details(rng: Random) -> Details:
    """Somebody."""
    district = rng.choice(DISTRICTS)
    return Details(
        full_name=draw_name(rng),
        date_of_birth=_BORN_FROM + timedelta(days=rng.randrange(_BORN_WITHIN_DAYS)),
        gender=rng.choice(GENDERS),
        mobile_number=None if rng.random() < NO_MOBILE_SHARE else mobile_number(rng),
        email=None if rng.random() < NO_MAIL_SHARE else draw_email(rng),
        district=district,
        village=draw_village(rng),
        pincode=draw_pincode(rng, district),
    )


def people(population: Population) -> Iterator[Person]:
    """Everybody, family by family."""
    for rank in range(population.families):
        for number in range(len(population.family(rank).member_ids)):
            yield _person(population, rank, number)


def draw_person(population: Population, rng: Random) -> Person:
    """Draw a member of a family that is drawn by its share of the evaluations."""
    rank = population.draw_rank(rng)
    return _person(population, rank, rng.randrange(len(population.family(rank).member_ids)))


@lru_cache(maxsize=16_384)
def _person(population: Population, rank: int, number: int) -> Person:
    rng = Random(f"person/{population.seed}/{rank}/{number}")  # noqa: S311 repeatable on purpose
    return Person(
        family_id=population.family(rank).family_id,
        gr_id=identifier("golden record", population.seed, rank, number),
        citizen_id=identifier("citizen", population.seed, rank, number),
        number=known_number(rank * _LARGEST_HOUSEHOLD + number),
        registered=rng.random() < REGISTERED_SHARE,
        details=draw_details(rng),
    )
