"""What may happen to decisions. A change of decision or status is one that people are told of."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

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
from demo.statements import update
from demo.warehouse.decisions import LARGE_REASONS, STATUSES, TABLE, draw_opened, draw_outcome, draw_reasons, draw_score

if TYPE_CHECKING:
    from demo.statements import Step
    from demo.warehouse.decisions import Decision


class DecisionChange(StrEnum):
    """One thing that the decision engine or an officer does to ``decision.applications``."""

    OPENED = "decision opened"
    DECIDED = "decision made"
    ADVANCED = "decision's status changed"
    RESCORED = "decision rescored"
    REASONED = "decision's reasons replaced"
    ENLARGED = "decision with many reasons"
    MOVED = "decision moved to another family"
    TOUCHED = "decision touched"
    REMOVED = "decision removed"
    SAME_TIME = "decision made at the same time"
    BACKDATED = "decision made with an older time"
    BACK_AND_FORTH = "decision's status changed back and forth"
    REINSERTED = "decision re-inserted"
    REKEYED = "decision re-keyed"


def _opened(situation: Situation) -> Decision:
    return draw_opened(situation.rng, situation.population, situation.now)


def _decided(situation: Situation) -> dict[str, object]:
    decision, status = draw_outcome(situation.rng)
    return {"decision": decision, "status": status, "decision_timestamp": situation.now}


def _advanced(situation: Situation) -> dict[str, object]:
    return {"status": situation.rng.choice(STATUSES)}


def _rescored(situation: Situation) -> dict[str, object]:
    return {"risk_score": draw_score(situation.rng), "confidence": draw_score(situation.rng)}


def _reasoned(situation: Situation) -> dict[str, object]:
    return {"reasons": draw_reasons(situation.rng, 2)}


def _enlarged(situation: Situation) -> dict[str, object]:
    return {"reasons": draw_reasons(situation.rng, 2 * LARGE_REASONS)}


def _moved(situation: Situation) -> dict[str, object]:
    return {"family_id": situation.population.draw_family(situation.rng).family_id}


def _back_and_forth(situation: Situation) -> tuple[Step, ...]:
    # Three changes of status within one transaction; the last is the first again, at the same decision_timestamp.
    place = TABLE.draw_place(situation.rng)
    steps = ("in_review", "closed", "in_review")
    return tuple(update(TABLE, place, {"status": status, "updated_at": situation.now}) for status in steps)


RECIPES: Final[Recipes] = {
    DecisionChange.OPENED: Recipe(25, inserted(TABLE, _opened)),
    DecisionChange.DECIDED: Recipe(22, updated(TABLE, _decided)),
    DecisionChange.ADVANCED: Recipe(20, updated(TABLE, _advanced)),
    DecisionChange.RESCORED: Recipe(8, updated(TABLE, _rescored)),
    DecisionChange.REASONED: Recipe(4, updated(TABLE, _reasoned)),
    DecisionChange.ENLARGED: Recipe(2, updated(TABLE, _enlarged)),
    DecisionChange.MOVED: Recipe(1, updated(TABLE, _moved)),
    DecisionChange.TOUCHED: Recipe(4, touched(TABLE)),
    DecisionChange.REMOVED: Recipe(3, removed(TABLE)),
    DecisionChange.SAME_TIME: Recipe(3, updated_at_the_same_time(TABLE, _decided)),
    DecisionChange.BACKDATED: Recipe(3, backdated(TABLE, _decided)),
    DecisionChange.BACK_AND_FORTH: Recipe(2, _back_and_forth),
    DecisionChange.REINSERTED: Recipe(2, reinserted(TABLE, _decided)),
    DecisionChange.REKEYED: Recipe(1, rekeyed(TABLE)),
}
