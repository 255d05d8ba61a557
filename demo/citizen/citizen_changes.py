"""What may happen to the users of the portal. Nobody is verified without a number."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from psycopg import sql

from demo.citizen.citizens import NOT_VERIFIED, TABLE, VERIFIED, draw_newcomer, known_citizen
from demo.identifiers import drawn_number, mobile_number
from demo.names import draw_email
from demo.people import draw_details, draw_person
from demo.places import spell_district
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
from demo.statements import Step, insert
from demo.swaps import swapped

if TYPE_CHECKING:
    from demo.citizen.citizens import Citizen

# The longest that the columns take: four bytes a code point.
LONG_NAME: Final = "𑄌" * 255
LONG_CITY: Final = "𑄟" * 100


class CitizenChange(StrEnum):
    """One thing that users or the portal do to ``public.citizens``."""

    JOINED = "citizen joined whom the warehouse knows"
    NEWCOMER = "citizen joined whom nobody knows"
    EDITED = "citizen edited"
    MOVED = "citizen moved"
    REACHED_ELSEWHERE = "citizen changed contacts"
    VERIFIED = "citizen verified"
    UNVERIFIED = "citizen not verified any more"
    BLANKED = "citizen blanked"
    TOUCHED = "citizen touched"
    REMOVED = "citizen removed"
    RENUMBERED = "citizen got another number"
    HANDED_OVER = "number of a citizen handed over to a new one"
    SAME_TIME = "citizen edited at the same time"
    BACKDATED = "citizen edited with an older time"
    LENGTHENED = "citizen lengthened"
    REINSERTED = "citizen re-inserted"
    REKEYED = "citizen re-keyed"
    SWAPPED = "numbers of two citizens swapped"


def _joined(situation: Situation) -> Citizen:
    # Mostly of the half of the people who have not joined yet, or else nothing happens.
    rng = situation.rng
    drawn = (draw_person(situation.population, rng) for _ in range(10))
    person = next((person for person in drawn if not person.registered), draw_person(situation.population, rng))
    return known_citizen(rng, person, situation.now)


def _newcomer(situation: Situation) -> Citizen:
    return draw_newcomer(situation.rng, situation.now)


def _edited(situation: Situation) -> dict[str, object]:
    details = draw_details(situation.rng)
    return {"full_name": details.full_name, "date_of_birth": details.date_of_birth, "gender": details.gender}


def _moved(situation: Situation) -> dict[str, object]:
    details = draw_details(situation.rng)
    district = spell_district(situation.rng, details.district)
    return {"city": details.village, "district": district, "pincode": details.pincode}


def _contacts(situation: Situation) -> dict[str, object]:
    return {"mobile_number": mobile_number(situation.rng), "email": draw_email(situation.rng)}


def _verified(situation: Situation) -> dict[str, object]:
    status = sql.SQL("CASE WHEN aadhaar_number IS NULL THEN verification_status ELSE {} END")
    return {"verification_status": status.format(sql.Literal(situation.rng.choice(VERIFIED)))}


def _unverified(situation: Situation) -> dict[str, object]:
    return {"verification_status": situation.rng.choice(NOT_VERIFIED)}


def _blanked(_: Situation) -> dict[str, object]:
    return {"full_name": None, "mobile_number": None, "email": None, "district": None}


def _renumbered(situation: Situation) -> dict[str, object]:
    return {"aadhaar_number": drawn_number(situation.rng, situation.now)}


def _lengthened(_: Situation) -> dict[str, object]:
    return {"full_name": LONG_NAME, "city": LONG_CITY}


def _meanwhile(situation: Situation) -> dict[str, object]:
    return _unverified(situation) | {"aadhaar_number": None}


def _handed_over(situation: Situation) -> tuple[Step, ...]:
    # The number is read before its owner leaves, and the new owner is there in the same transaction.
    (removal,) = removed(TABLE)(situation)
    successor = draw_newcomer(situation.rng, situation.now)
    status = _STATUS_OF_SUCCESSOR.format(sql.Literal(successor.verification_status))
    values = successor._asdict() | {"aadhaar_number": _NUMBER, "verification_status": status}
    return Step(_REMEMBER_NUMBER, removal.parameters), removal, insert(TABLE, values)


_NUMBER: Final = sql.SQL("nullif(current_setting('demo.number'), '')")
_STATUS_OF_SUCCESSOR: Final = sql.SQL("CASE WHEN current_setting('demo.number') = '' THEN 'PENDING' ELSE {} END")
_REMEMBER_NUMBER: Final = sql.SQL("SELECT set_config('demo.number', (SELECT aadhaar_number FROM {} WHERE id = {}), true)").format(
    TABLE.quoted, TABLE.picked()
)

RECIPES: Final[Recipes] = {
    CitizenChange.JOINED: Recipe(8, inserted(TABLE, _joined)),
    CitizenChange.NEWCOMER: Recipe(8, inserted(TABLE, _newcomer)),
    CitizenChange.EDITED: Recipe(20, updated(TABLE, _edited)),
    CitizenChange.MOVED: Recipe(14, updated(TABLE, _moved)),
    CitizenChange.REACHED_ELSEWHERE: Recipe(14, updated(TABLE, _contacts)),
    CitizenChange.VERIFIED: Recipe(10, updated(TABLE, _verified)),
    CitizenChange.UNVERIFIED: Recipe(3, updated(TABLE, _unverified)),
    CitizenChange.BLANKED: Recipe(3, updated(TABLE, _blanked)),
    CitizenChange.TOUCHED: Recipe(4, touched(TABLE)),
    CitizenChange.REMOVED: Recipe(1, removed(TABLE)),
    CitizenChange.RENUMBERED: Recipe(2, updated(TABLE, _renumbered)),
    CitizenChange.HANDED_OVER: Recipe(1, _handed_over),
    CitizenChange.SAME_TIME: Recipe(4, updated_at_the_same_time(TABLE, _edited)),
    CitizenChange.BACKDATED: Recipe(4, backdated(TABLE, _edited)),
    CitizenChange.LENGTHENED: Recipe(1, updated(TABLE, _lengthened)),
    CitizenChange.REINSERTED: Recipe(1, reinserted(TABLE, _edited)),
    CitizenChange.REKEYED: Recipe(1, rekeyed(TABLE)),
    CitizenChange.SWAPPED: Recipe(1, swapped(TABLE, "aadhaar_number", _meanwhile, kept="verification_status")),
}
