"""What may happen to profiles."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from psycopg import sql

from demo.recipes import Recipe, Recipes, Situation
from demo.row_changes import backdated, reinserted, removed, touched, updated, updated_at_the_same_time
from demo.statements import Step, insert, insert_child, update
from demo.warehouse.golden_records import TABLE as GOLDEN_RECORDS
from demo.warehouse.golden_records import draw_golden_record
from demo.warehouse.profiles import LARGE_FEATURES, LEVELS, TABLE, draw_features, draw_findings


class ProfileChange(StrEnum):
    """One thing that the warehouse does to ``public.profile_360``."""

    ADDED = "profile added"
    RECOMPUTED = "profile recomputed"
    FAMILY_RECOMPUTED = "profiles of a family recomputed"
    REASSIGNED = "profile given to another golden record"
    TOUCHED = "profile touched"
    REMOVED = "profile removed"
    SAME_TIME = "profile recomputed at the same time"
    BACKDATED = "profile recomputed with an older time"
    ENLARGED = "profile with large features"
    REINSERTED = "profile re-inserted"
    REKEYED = "profile re-keyed"
    BEFORE_ITS_RECORD = "profile added before its golden record"


def _recomputed(situation: Situation) -> dict[str, object]:
    return draw_findings(situation.rng)._asdict()


def _enlarged(situation: Situation) -> dict[str, object]:
    return {"profile_data": draw_features(situation.rng, 2 * LARGE_FEATURES)}


def _rekeyed(_: Situation) -> dict[str, object]:
    return {"profile_id": sql.SQL("nextval(pg_get_serial_sequence('public.profile_360', 'profile_id'))")}


def _added(situation: Situation) -> tuple[Step, ...]:
    values = _recomputed(situation) | {"updated_at": situation.now, "gr_id": sql.SQL("parent.gr_id")}
    return (insert_child(TABLE, values, GOLDEN_RECORDS, GOLDEN_RECORDS.draw_place(situation.rng)),)


def _family_recomputed(situation: Situation) -> tuple[Step, ...]:
    rng = situation.rng
    parameters = {"level": rng.choice(LEVELS), "place": TABLE.draw_place(rng), "now": situation.now}
    return (Step(_RECOMPUTE_FAMILY, parameters),)


def _reassigned(situation: Situation) -> tuple[Step, ...]:
    rng = situation.rng
    other = sql.SQL("coalesce({}, gr_id)").format(GOLDEN_RECORDS.picked("record"))
    statement, parameters = update(TABLE, TABLE.draw_place(rng), {"gr_id": other, "updated_at": situation.now})
    return (Step(statement, {**parameters, "record": GOLDEN_RECORDS.draw_place(rng)}),)


def _before_its_record(situation: Situation) -> tuple[Step, ...]:
    rng, now = situation.rng, situation.now
    record = draw_golden_record(rng, situation.population, now)
    profile = {"gr_id": record.gr_id, **_recomputed(situation), "updated_at": now}
    return insert(TABLE, profile), insert(GOLDEN_RECORDS, record._asdict())


# All profiles of the family get one time: then the greater number stands.
_RECOMPUTE_FAMILY: Final = sql.SQL("""
UPDATE {profiles} SET vulnerability_level = %(level)s, under_coverage_indicator = NOT under_coverage_indicator,
    updated_at = %(now)s
WHERE gr_id IN (
    SELECT member.gr_id FROM {profiles} AS picked JOIN {records} AS record USING (gr_id)
    JOIN {records} AS member ON member.family_id = record.family_id
    WHERE picked.profile_id = {picked})
""").format(profiles=TABLE.quoted, records=GOLDEN_RECORDS.quoted, picked=TABLE.picked())

RECIPES: Final[Recipes] = {
    ProfileChange.ADDED: Recipe(10, _added),
    ProfileChange.RECOMPUTED: Recipe(58, updated(TABLE, _recomputed)),
    ProfileChange.FAMILY_RECOMPUTED: Recipe(3, _family_recomputed),
    ProfileChange.REASSIGNED: Recipe(3, _reassigned),
    ProfileChange.TOUCHED: Recipe(5, touched(TABLE)),
    ProfileChange.REMOVED: Recipe(6, removed(TABLE)),
    ProfileChange.SAME_TIME: Recipe(4, updated_at_the_same_time(TABLE, _recomputed)),
    ProfileChange.BACKDATED: Recipe(4, backdated(TABLE, _recomputed)),
    ProfileChange.ENLARGED: Recipe(2, updated(TABLE, _enlarged)),
    ProfileChange.REINSERTED: Recipe(2, reinserted(TABLE, _recomputed)),
    ProfileChange.REKEYED: Recipe(1, updated(TABLE, _rekeyed)),
    ProfileChange.BEFORE_ITS_RECORD: Recipe(2, _before_its_record),
}
