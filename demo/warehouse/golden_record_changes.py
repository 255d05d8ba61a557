"""What may happen to golden records in the warehouse itself."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from psycopg import sql

from demo.identifiers import drawn_number
from demo.people import draw_details
from demo.recipes import Recipe, Recipes, Situation
from demo.row_changes import (
    backdated,
    inserted,
    reinserted,
    rekeyed,
    removed,
    touched,
    updated,
    updated_at_the_same_time,
)
from demo.statements import Step
from demo.swaps import swapped
from demo.warehouse.golden_records import TABLE, WRITERS, draw_golden_record
from demo.warehouse.profiles import TABLE as PROFILES

if TYPE_CHECKING:
    from demo.warehouse.golden_records import GoldenRecord

# The longest that the columns take: four bytes a code point.
LONG_NAME: Final = "𑄌" * 255
LONG_VILLAGE: Final = "𑄟" * 100


class GoldenRecordChange(StrEnum):
    """One thing that the warehouse does to ``public.golden_records``."""

    ADDED = "golden record added"
    CORRECTED = "golden record corrected"
    RELOCATED = "golden record relocated"
    MOVED = "golden record moved to another family"
    BLANKED = "golden record blanked"
    TOUCHED = "golden record touched"
    REMOVED = "golden record removed with its profiles"
    SAME_TIME = "golden record corrected at the same time"
    BACKDATED = "golden record corrected with an older time"
    LENGTHENED = "golden record lengthened"
    REINSERTED = "golden record re-inserted"
    REKEYED = "golden record re-keyed with its profiles"
    SWAPPED = "numbers of two golden records swapped"
    ORPHANING = "golden record removed, profiles left"


def _added(situation: Situation) -> GoldenRecord:
    return draw_golden_record(situation.rng, situation.population, situation.now)


def _written(situation: Situation, values: dict[str, object]) -> dict[str, object]:
    return values | {"updated_by": situation.rng.choice(WRITERS)}


def _corrected(situation: Situation) -> dict[str, object]:
    details = draw_details(situation.rng)
    values = {"full_name": details.full_name, "date_of_birth": details.date_of_birth, "gender": details.gender}
    return _written(situation, values)


def _relocated(situation: Situation) -> dict[str, object]:
    details = draw_details(situation.rng)
    values = {"district_id": details.district.district_id, "city_village": details.village, "pincode": details.pincode}
    return _written(situation, values)


def _moved(situation: Situation) -> dict[str, object]:
    return _written(situation, {"family_id": situation.population.draw_family(situation.rng).family_id})


def _blanked(situation: Situation) -> dict[str, object]:
    return _written(situation, {"gender": None, "email": None, "district_id": None})


def _lengthened(situation: Situation) -> dict[str, object]:
    return _written(situation, {"full_name": LONG_NAME, "city_village": LONG_VILLAGE})


def _meanwhile(situation: Situation) -> dict[str, object]:
    return {"jan_aadhaar": drawn_number(situation.rng, situation.now)}


def _removed_with_profiles(situation: Situation) -> tuple[Step, ...]:
    (removal,) = removed(TABLE)(situation)
    return Step(_DROP_PROFILES, removal.parameters), removal


def _rekeyed_with_profiles(situation: Situation) -> tuple[Step, ...]:
    # The profiles go first: for a moment they refer to a record that is not there yet.
    (rekeying,) = rekeyed(TABLE)(situation)
    return Step(_REKEY_PROFILES, rekeying.parameters), rekeying


_DROP_PROFILES: Final = sql.SQL("DELETE FROM {} WHERE gr_id = {}").format(PROFILES.quoted, TABLE.picked())
_REKEY_PROFILES: Final = sql.SQL("UPDATE {} SET gr_id = %(gr_id)s, updated_at = %(updated_at)s WHERE gr_id = {}").format(
    PROFILES.quoted, TABLE.picked()
)

RECIPES: Final[Recipes] = {
    GoldenRecordChange.ADDED: Recipe(20, inserted(TABLE, _added)),
    GoldenRecordChange.CORRECTED: Recipe(30, updated(TABLE, _corrected)),
    GoldenRecordChange.RELOCATED: Recipe(15, updated(TABLE, _relocated)),
    GoldenRecordChange.MOVED: Recipe(8, updated(TABLE, _moved)),
    GoldenRecordChange.BLANKED: Recipe(4, updated(TABLE, _blanked)),
    GoldenRecordChange.TOUCHED: Recipe(5, touched(TABLE)),
    GoldenRecordChange.REMOVED: Recipe(5, _removed_with_profiles),
    GoldenRecordChange.SAME_TIME: Recipe(4, updated_at_the_same_time(TABLE, _corrected)),
    GoldenRecordChange.BACKDATED: Recipe(4, backdated(TABLE, _corrected)),
    GoldenRecordChange.LENGTHENED: Recipe(1, updated(TABLE, _lengthened)),
    GoldenRecordChange.REINSERTED: Recipe(2, reinserted(TABLE, _corrected)),
    GoldenRecordChange.REKEYED: Recipe(1, _rekeyed_with_profiles),
    GoldenRecordChange.SWAPPED: Recipe(1, swapped(TABLE, "jan_aadhaar", _meanwhile, kept="updated_by")),
    GoldenRecordChange.ORPHANING: Recipe(0, removed(TABLE)),
}
