"""Rows of ``public.profile_360``: what the warehouse's models make of the people."""

from __future__ import annotations

import json
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from demo.moments import draw_moment
from demo.people import people
from demo.statements import NumberedTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demo.population import Population

LEVELS: Final = ("LOW", "LOW", "LOW", "MEDIUM", "MEDIUM", "HIGH", "EXTREME", None)
INCOME_BANDS: Final = ("BELOW_POVERTY_LINE", "LOW", "LOW", "LOWER_MIDDLE", "MIDDLE", None)

# Whoever was profiled twice has two rows; nightly runs give many rows one time, as families have ties then.
WITHOUT_SHARE: Final = 0.05
TWICE_SHARE: Final = 0.1
NIGHTLY_SHARE: Final = 0.4
LARGE_SHARE: Final = 0.01
LARGE_FEATURES: Final = 600


class Findings(NamedTuple):
    """What a model says of somebody; fields are the column names."""

    vulnerability_level: str | None
    under_coverage_indicator: bool | None
    inferred_income_band: str | None
    cluster_id: str | None
    profile_data: str


# Without profile_id, which the database assigns.
COLUMNS: Final = ("gr_id", *Findings._fields, "updated_at")
TABLE: Final = NumberedTable("public.profile_360", "profile_id", ("profile_id", *COLUMNS))


def profiles(population: Population, now: datetime) -> Iterator[tuple[object, ...]]:
    """One profile of most people, two of some, none of a few, as :data:`COLUMNS`; computed within the 60 days before ``now``."""
    rng = Random(f"profiles/{population.seed}")  # noqa: S311 repeatable on purpose
    for person in people(population):
        for _ in range(_count(rng)):
            yield (person.gr_id, *draw_findings(rng), _computed_at(rng, now))


def draw_findings(rng: Random) -> Findings:
    """Draw what a model says of somebody."""
    return Findings(
        vulnerability_level=rng.choice(LEVELS),
        under_coverage_indicator=rng.choice((True, False, False, None)),
        inferred_income_band=rng.choice(INCOME_BANDS),
        cluster_id=None if rng.random() < WITHOUT_SHARE else f"cluster-{rng.randrange(40):02}",
        profile_data=draw_features(rng, LARGE_FEATURES if rng.random() < LARGE_SHARE else 6),
    )


def draw_features(rng: Random, count: int) -> str:
    """Draw a model's features as JSON; a few hundred are so large that they are stored out of line."""
    return json.dumps({"model": f"v{rng.randrange(1, 9)}", "features": [round(rng.random(), 6) for _ in range(count)]})


def _count(rng: Random) -> int:
    draw = rng.random()
    return 0 if draw < WITHOUT_SHARE else 2 if draw < WITHOUT_SHARE + TWICE_SHARE else 1


def _computed_at(rng: Random, now: datetime) -> datetime:
    moment = draw_moment(rng, now)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) if rng.random() < NIGHTLY_SHARE else moment
