"""What may happen to the evaluations after the history: kinds of change, how often each comes, and their SQL."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, LiteralString

from demo.catalogue import schemes
from demo.evaluations import HISTORY, Evaluation, draw_score, draw_status, evaluate
from demo.explanations import explain
from demo.recipes import Recipe, Recipes, Situation
from demo.statements import Step

if TYPE_CHECKING:
    from demo.recipes import Draw, Values

# How long the portal shows an evaluation; those that come this close to it expire while one watches.
EXPIRY_AGE = timedelta(days=30)
EXPIRES_WITHIN = timedelta(minutes=3)


class ChangeKind(StrEnum):
    """One thing that the platform does to ``eligibility.eligibility_snapshots``."""

    EVALUATION = "evaluation"
    LATE_EVALUATION = "late evaluation"
    EXPIRING_EVALUATION = "expiring evaluation"
    REEVALUATION = "re-evaluation"
    RESCORE = "rescore"
    REWORD = "reword"
    STATUS_CHANGE = "status change"
    TOUCH = "touch"
    FAMILY_MOVE = "family move"
    DELETE = "delete"


# Statements are put together from the literals of this module; every value is bound.
INSERT: LiteralString = """
INSERT INTO eligibility.eligibility_snapshots
    (family_id, member_id, scheme_code, evaluation_status, eligibility_score, confidence_score, explanation,
     evaluation_timestamp, updated_at)
VALUES
    (%(family_id)s, %(member_id)s, %(scheme_code)s, %(evaluation_status)s, %(eligibility_score)s,
     %(confidence_score)s, %(explanation)s, %(evaluation_timestamp)s, %(updated_at)s)
"""

# The row at a place between the first (0) and the last (1): found by the primary key, whatever was deleted.
PICKED: LiteralString = """(
    SELECT snapshot_id FROM eligibility.eligibility_snapshots
    WHERE snapshot_id >= (SELECT (max(snapshot_id) * %(place)s)::bigint FROM eligibility.eligibility_snapshots)
    ORDER BY snapshot_id LIMIT 1)
"""

UPDATE: LiteralString = "UPDATE eligibility.eligibility_snapshots SET updated_at = %(now)s"
REEVALUATE: LiteralString = f"""{UPDATE}, evaluation_status = %(status)s, eligibility_score = %(score)s,
    confidence_score = %(confidence)s, evaluation_timestamp = %(now)s WHERE snapshot_id = {PICKED}"""
RESCORE: LiteralString = f"""{UPDATE}, eligibility_score = %(score)s, confidence_score = %(confidence)s
    WHERE snapshot_id = {PICKED}"""
REWORD: LiteralString = f"{UPDATE}, explanation = %(explanation)s WHERE snapshot_id = {PICKED}"
SET_STATUS: LiteralString = f"{UPDATE}, evaluation_status = %(status)s WHERE snapshot_id = {PICKED}"
TOUCH: LiteralString = f"{UPDATE} WHERE snapshot_id = {PICKED}"
DELETE: LiteralString = f"DELETE FROM eligibility.eligibility_snapshots WHERE snapshot_id = {PICKED}"  # noqa: S608

MOVE: LiteralString = f"""
UPDATE eligibility.eligibility_snapshots moved
SET family_id = %(family_id)s, updated_at = %(now)s
FROM eligibility.eligibility_snapshots picked
WHERE picked.snapshot_id = {PICKED}
  AND moved.family_id = picked.family_id
  AND (moved.snapshot_id = picked.snapshot_id OR moved.member_id = picked.member_id)
"""  # noqa: S608


def _evaluation(situation: Situation, age: timedelta = timedelta(0)) -> dict[str, object]:
    rng, population, now = situation.rng, situation.population, situation.now
    row: Evaluation = evaluate(rng, population, evaluated_at=now - age, updated_at=now)
    return row._asdict()


def _late_evaluation(situation: Situation) -> dict[str, object]:
    return _evaluation(situation, age=HISTORY * situation.rng.random())


def _expiring_evaluation(situation: Situation) -> dict[str, object]:
    return _evaluation(situation, age=EXPIRY_AGE - EXPIRES_WITHIN * situation.rng.random())


def _pick(situation: Situation) -> dict[str, object]:
    # Recent rows change more often than old ones: half of the places lie in the last eighth.
    return {"place": 1 - situation.rng.random() ** 3}


def _touch(situation: Situation) -> dict[str, object]:
    return _pick(situation) | {"now": situation.now}


def _rescore(situation: Situation) -> dict[str, object]:
    rng = situation.rng
    return _touch(situation) | {"score": draw_score(rng), "confidence": draw_score(rng)}


def _set_status(situation: Situation) -> dict[str, object]:
    return _touch(situation) | {"status": draw_status(situation.rng)}


def _reevaluate(situation: Situation) -> dict[str, object]:
    return _rescore(situation) | _set_status(situation)


def _reword(situation: Situation) -> dict[str, object]:
    rng = situation.rng
    return _touch(situation) | {"explanation": explain(rng, rng.choice(schemes()))}


def _move(situation: Situation) -> dict[str, object]:
    return _touch(situation) | {"family_id": situation.population.draw_family(situation.rng).family_id}


def _one(statement: LiteralString, parameters: Values) -> Draw:
    return lambda situation: (Step(statement, parameters(situation)),)


RECIPES: Final[Recipes] = {
    ChangeKind.EVALUATION: Recipe(40, _one(INSERT, _evaluation)),
    ChangeKind.LATE_EVALUATION: Recipe(4, _one(INSERT, _late_evaluation)),
    ChangeKind.EXPIRING_EVALUATION: Recipe(2, _one(INSERT, _expiring_evaluation)),
    ChangeKind.REEVALUATION: Recipe(14, _one(REEVALUATE, _reevaluate)),
    ChangeKind.RESCORE: Recipe(12, _one(RESCORE, _rescore)),
    ChangeKind.REWORD: Recipe(7, _one(REWORD, _reword)),
    ChangeKind.STATUS_CHANGE: Recipe(12, _one(SET_STATUS, _set_status)),
    ChangeKind.TOUCH: Recipe(2, _one(TOUCH, _touch)),
    ChangeKind.FAMILY_MOVE: Recipe(2, _one(MOVE, _move)),
    ChangeKind.DELETE: Recipe(5, _one(DELETE, _pick)),
}
