"""What may happen to applications. Every insert and every change of status is a fact of its own."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, LiteralString

from psycopg import sql

from demo.citizen.applications import STATUSES, TABLE, draw_open_scheme
from demo.citizen.citizens import TABLE as CITIZENS
from demo.citizen.citizens import draw_newcomer
from demo.citizen.schemes import TABLE as SCHEMES
from demo.citizen.schemes import draw_scheme
from demo.identifiers import drawn_identifier
from demo.recipes import Recipe, Recipes, Situation
from demo.row_changes import (
    backdated,
    reinserted,
    rekeyed,
    removed,
    touched,
    updated,
    updated_at_the_same_time,
)
from demo.statements import Step, insert, insert_child, update

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

#: Let a transaction write a child before its parent.
DEFER: LiteralString = "SET CONSTRAINTS ALL DEFERRED"


class ApplicationChange(StrEnum):
    """One thing that users or officers do to ``public.service_applications``."""

    SUBMITTED = "application submitted"
    ADVANCED = "application's status changed"
    APPROVED = "application approved"
    APPROVED_WITHOUT_TIME = "application approved without time"
    WITHDRAWN = "application withdrawn"
    TOUCHED = "application touched"
    REMOVED = "application removed"
    SAME_TIME = "application's status changed at the same time"
    BACKDATED = "application's status changed with an older time"
    BACK_AND_FORTH = "application reopened and approved as before"
    REINSERTED = "application re-inserted"
    REKEYED = "application re-keyed"
    BEFORE_ITS_SCHEME = "application submitted before its scheme is known"
    BEFORE_ITS_CITIZEN = "application submitted before its citizen is known"


def _submission(situation: Situation, scheme_id: UUID) -> dict[str, object]:
    values = {"id": drawn_identifier(situation.rng, situation.now), "scheme_id": scheme_id, "status": "submitted"}
    return values | {"submitted_at": situation.now, "updated_at": situation.now}


def _submitted(situation: Situation) -> tuple[Step, ...]:
    values = _submission(situation, draw_open_scheme(situation.rng).scheme_id)
    return (_by_somebody(situation, values),)


def _before_its_scheme(situation: Situation) -> tuple[Step, ...]:
    scheme = draw_scheme(situation.rng, situation.now)
    return _by_somebody(situation, _submission(situation, scheme.id)), insert(SCHEMES, scheme._asdict())


def _before_its_citizen(situation: Situation) -> tuple[Step, ...]:
    citizen = draw_newcomer(situation.rng, situation.now)
    values = _submission(situation, draw_open_scheme(situation.rng).scheme_id) | {"citizen_id": citizen.id}
    return Step(DEFER, {}), insert(TABLE, values), insert(CITIZENS, citizen._asdict())


def _by_somebody(situation: Situation, values: Mapping[str, object]) -> Step:
    place = CITIZENS.draw_place(situation.rng)
    return insert_child(TABLE, {**values, "citizen_id": sql.SQL("parent.id")}, CITIZENS, place)


def _status(situation: Situation) -> dict[str, object]:
    status = situation.rng.choice(STATUSES)
    return _approved(situation) if status == "approved" else {"status": status}


def _approved(situation: Situation) -> dict[str, object]:
    return {"status": "approved", "approved_at": situation.now}


def _approved_without_time(_: Situation) -> dict[str, object]:
    return {"status": "approved", "approved_at": None}


def _withdrawn(_: Situation) -> dict[str, object]:
    return {"status": "withdrawn"}


def _back_and_forth(situation: Situation) -> tuple[Step, ...]:
    # The second approval has the time of the first: it is the same fact, whatever came between.
    place, now = TABLE.draw_place(situation.rng), situation.now
    approval = update(TABLE, place, {**_approved(situation), "updated_at": now})
    return approval, update(TABLE, place, {"status": "in_review", "updated_at": now}), approval


RECIPES: Final[Recipes] = {
    ApplicationChange.SUBMITTED: Recipe(30, _submitted),
    ApplicationChange.ADVANCED: Recipe(30, updated(TABLE, _status)),
    ApplicationChange.APPROVED: Recipe(10, updated(TABLE, _approved)),
    ApplicationChange.APPROVED_WITHOUT_TIME: Recipe(2, updated(TABLE, _approved_without_time)),
    ApplicationChange.WITHDRAWN: Recipe(5, updated(TABLE, _withdrawn)),
    ApplicationChange.TOUCHED: Recipe(6, touched(TABLE)),
    ApplicationChange.REMOVED: Recipe(2, removed(TABLE)),
    ApplicationChange.SAME_TIME: Recipe(4, updated_at_the_same_time(TABLE, _status)),
    ApplicationChange.BACKDATED: Recipe(4, backdated(TABLE, _status)),
    ApplicationChange.BACK_AND_FORTH: Recipe(1, _back_and_forth),
    ApplicationChange.REINSERTED: Recipe(1, reinserted(TABLE, _status)),
    ApplicationChange.REKEYED: Recipe(1, rekeyed(TABLE)),
    ApplicationChange.BEFORE_ITS_SCHEME: Recipe(1, _before_its_scheme),
    ApplicationChange.BEFORE_ITS_CITIZEN: Recipe(1, _before_its_citizen),
}
