"""Rows of ``public.golden_records``: one for everybody in the families."""

from __future__ import annotations

from datetime import date, datetime
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from demo.identifiers import drawn_identifier, drawn_number
from demo.moments import draw_moment
from demo.people import Details, draw_details, people
from demo.statements import KeyedTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population

# Whoever writes golden records besides the synchronisation.
WRITERS: Final = ("golden_record_etl", "golden_record_etl", "data_steward")


class GoldenRecord(NamedTuple):
    """One person's master data; fields are the column names."""

    gr_id: UUID
    family_id: UUID | None
    jan_aadhaar: str
    full_name: str | None
    date_of_birth: date | None
    gender: str | None
    mobile_number: str | None
    email: str | None
    district_id: int | None
    city_village: str | None
    pincode: str | None
    updated_at: datetime
    updated_by: str


TABLE: Final = KeyedTable("public.golden_records", "gr_id", GoldenRecord._fields)


def golden_records(population: Population, now: datetime) -> Iterator[GoldenRecord]:
    """Everybody, last updated within the 60 days before ``now``."""
    rng = Random(f"golden records/{population.seed}")  # noqa: S311 repeatable on purpose
    for person in people(population):
        identity = (person.gr_id, person.family_id, person.number)
        yield _record(rng, identity, person.details, draw_moment(rng, now))


def draw_golden_record(rng: Random, population: Population, now: datetime) -> GoldenRecord:
    """Draw somebody who was not known before, as a member of a known family."""
    identity = (drawn_identifier(rng, now), population.draw_family(rng).family_id, drawn_number(rng, now))
    return _record(rng, identity, draw_details(rng), now)


def _record(rng: Random, identity: tuple[UUID, UUID, str], details: Details, updated_at: datetime) -> GoldenRecord:
    return GoldenRecord(
        *identity,
        full_name=details.full_name,
        date_of_birth=details.date_of_birth,
        gender=details.gender,
        mobile_number=details.mobile_number,
        email=details.email,
        district_id=details.district.district_id,
        city_village=details.village,
        pincode=details.pincode,
        updated_at=updated_at,
        updated_by=rng.choice(WRITERS),
    )
