"""What may happen to documents."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from psycopg import sql

from demo.citizen.application_changes import DEFER
from demo.citizen.citizens import NOBODY, draw_newcomer
from demo.citizen.citizens import TABLE as CITIZENS
from demo.citizen.documents import FILES, LARGE_BYTES, TABLE, VERIFICATIONS, Owner, draw_document
from demo.identifiers import drawn_identifier
from demo.recipes import Recipe, Recipes, Situation
from demo.row_changes import backdated, reinserted, rekeyed, removed, touched, updated, updated_at_the_same_time
from demo.statements import Step, insert, insert_child

if TYPE_CHECKING:
    from uuid import UUID

    from demo.citizen.documents import Document


class DocumentChange(StrEnum):
    """One thing that users or officers do to ``public.documents``."""

    UPLOADED = "document uploaded"
    VERIFIED = "document's verification changed"
    RENAMED = "document renamed"
    REPLACED = "document's content replaced by a large one"
    TOUCHED = "document touched"
    REMOVED = "document removed"
    SAME_TIME = "document's verification changed at the same time"
    BACKDATED = "document's verification changed with an older time"
    REINSERTED = "document re-inserted"
    REKEYED = "document re-keyed"
    BEFORE_ITS_CITIZEN = "document uploaded before its citizen is known"


def _document(situation: Situation, citizen_id: UUID) -> Document:
    identity = drawn_identifier(situation.rng, situation.now)
    return draw_document(situation.rng, identity, Owner(citizen_id, None), situation.now)


def _uploaded(situation: Situation) -> tuple[Step, ...]:
    values = _document(situation, NOBODY)._asdict() | {"citizen_id": sql.SQL("parent.id")}
    return (insert_child(TABLE, values, CITIZENS, CITIZENS.draw_place(situation.rng)),)


def _before_its_citizen(situation: Situation) -> tuple[Step, ...]:
    citizen = draw_newcomer(situation.rng, situation.now)
    document = _document(situation, citizen.id)
    return Step(DEFER, {}), insert(TABLE, document._asdict()), insert(CITIZENS, citizen._asdict())


def _verification(situation: Situation) -> dict[str, object]:
    return {"verification_status": situation.rng.choice(VERIFICATIONS)}


def _renamed(situation: Situation) -> dict[str, object]:
    name, mime_type = situation.rng.choice(FILES)
    return {"file_name": name, "mime_type": mime_type}


def _replaced(situation: Situation) -> dict[str, object]:
    return {"content": situation.rng.randbytes(LARGE_BYTES), "file_size": LARGE_BYTES}


RECIPES: Final[Recipes] = {
    DocumentChange.UPLOADED: Recipe(50, _uploaded),
    DocumentChange.VERIFIED: Recipe(22, updated(TABLE, _verification)),
    DocumentChange.RENAMED: Recipe(4, updated(TABLE, _renamed)),
    DocumentChange.REPLACED: Recipe(2, updated(TABLE, _replaced)),
    DocumentChange.TOUCHED: Recipe(4, touched(TABLE)),
    DocumentChange.REMOVED: Recipe(8, removed(TABLE)),
    DocumentChange.SAME_TIME: Recipe(3, updated_at_the_same_time(TABLE, _verification)),
    DocumentChange.BACKDATED: Recipe(3, backdated(TABLE, _verification)),
    DocumentChange.REINSERTED: Recipe(2, reinserted(TABLE, _verification)),
    DocumentChange.REKEYED: Recipe(1, rekeyed(TABLE)),
    DocumentChange.BEFORE_ITS_CITIZEN: Recipe(1, _before_its_citizen),
}
