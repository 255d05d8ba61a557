"""Rows of ``public.citizens``: users of the portal, many of whom the warehouse knows by the same number."""

from __future__ import annotations

from datetime import date, datetime
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from demo.identifiers import drawn_identifier, drawn_number, identifier, mobile_number, newcomer_number
from demo.moments import draw_moment
from demo.names import draw_email
from demo.people import Details, Person, draw_details, draw_person, people
from demo.places import draw_village, spell_district
from demo.statements import KeyedTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population

VERIFIED: Final = ("VERIFIED", "VERIFIED", "VERIFIED", "Verified", "verified")
NOT_VERIFIED: Final = ("PENDING", "PENDING", "UNVERIFIED", "REJECTED")
VERIFIED_SHARE: Final = 0.7

# In place of a citizen whom the database is still to pick.
NOBODY: Final = identifier("nobody")

FAMILIES_PER_NEWCOMER: Final = 4
NO_NUMBER_SHARE: Final = 0.15
NEWCOMER_AMONG_USERS: Final = 0.1


class Citizen(NamedTuple):
    """One user; fields are the column names."""

    id: UUID
    aadhaar_number: str | None
    mobile_number: str | None
    email: str | None
    full_name: str | None
    date_of_birth: date | None
    gender: str | None
    city: str | None
    district: str | None
    pincode: str | None
    verification_status: str
    updated_at: datetime


TABLE: Final = KeyedTable("public.citizens", "id", Citizen._fields)


def citizens(population: Population, now: datetime) -> Iterator[Citizen]:
    """The registered people, then the newcomers; last updated within the 60 days before ``now``."""
    rng = Random(f"citizens/{population.seed}")  # noqa: S311 repeatable on purpose
    for person in people(population):
        if person.registered:
            yield known_citizen(rng, person, draw_moment(rng, now))
    for position in range(newcomers(population)):
        number = None if rng.random() < NO_NUMBER_SHARE else newcomer_number(position)
        yield _citizen(rng, newcomer_id(population, position), number, draw_details(rng), draw_moment(rng, now))


def known_citizen(rng: Random, person: Person, updated_at: datetime) -> Citizen:
    """Draw what somebody whom the warehouse knows has entered in the portal: some of it is other, or missing."""
    citizen = _citizen(rng, person.citizen_id, person.number, person.details, updated_at)
    return citizen._replace(
        mobile_number=rng.choice((citizen.mobile_number, mobile_number(rng), None)),
        email=rng.choice((citizen.email, draw_email(rng), None)),
        gender=rng.choice((citizen.gender, None)),
        city=rng.choice((citizen.city, draw_village(rng))),
    )


def draw_newcomer(rng: Random, now: datetime) -> Citizen:
    """Draw a user whom nobody knew before ``now``."""
    return _citizen(rng, drawn_identifier(rng, now), drawn_number(rng, now), draw_details(rng), now)


def newcomers(population: Population) -> int:
    """Return how many users of the portal the warehouse does not know."""
    return max(1, population.families // FAMILIES_PER_NEWCOMER)


def newcomer_id(population: Population, position: int) -> UUID:
    """Return the id of the newcomer at a position from 0."""
    return identifier("newcomer", population.seed, position)


def draw_user(rng: Random, population: Population) -> tuple[UUID, UUID | None]:
    """Draw a user of the history; returns the ids of citizen and family, the latter None for newcomers."""
    for _ in range(100):
        if rng.random() < NEWCOMER_AMONG_USERS:
            break
        person = draw_person(population, rng)
        if person.registered:
            return person.citizen_id, person.family_id
    return newcomer_id(population, rng.randrange(newcomers(population))), None


def draw_verification(rng: Random) -> str:
    """One of the statuses, the one that counts in various letter cases."""
    return rng.choice(VERIFIED if rng.random() < VERIFIED_SHARE else NOT_VERIFIED)


def _citizen(rng: Random, identity: UUID, number: str | None, details: Details, updated_at: datetime) -> Citizen:
    return Citizen(
        id=identity,
        aadhaar_number=number,
        mobile_number=details.mobile_number,
        email=details.email,
        full_name=details.full_name,
        date_of_birth=details.date_of_birth,
        gender=details.gender,
        city=details.village,
        district=spell_district(rng, details.district),
        pincode=details.pincode,
        verification_status=rng.choice(NOT_VERIFIED) if number is None else draw_verification(rng),
        updated_at=updated_at,
    )
