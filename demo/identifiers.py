"""Identifiers and numbers that depend on nothing but their parts, none of which could be a real person's."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

# A UUID ends in twelve hexadecimal digits; now and then all of them are decimal and read like an Aadhaar number.
# These bits turn the sixth of the twelve into a letter (a, b, e or f), so no run of ten decimal digits is left.
_LETTER_IN_LAST_GROUP: Final = 0xA << 24

# Aadhaar numbers have twelve digits and begin with 2 to 9; ours begin with 0 or 1. The step has no factor in common with
# the count, so that no two positions have one number, and neighbours look unlike.
_NUMBERS: Final = 10**11
_STEP: Final = 38_654_705_663

WITH_PREFIX_SHARE: Final = 0.1


def identifier(*parts: object) -> UUID:
    """Make a version 4 UUID that is the same for the same parts, on every machine."""
    digest = blake2b("/".join(map(str, parts)).encode(), digest_size=16).digest()
    return UUID(int=int.from_bytes(digest) | _LETTER_IN_LAST_GROUP, version=4)


def drawn_identifier(rng: Random, now: datetime) -> UUID:
    """Draw a UUID that nothing had before, also when the same draws were made at another time."""
    return identifier("drawn", rng.getrandbits(64), now.isoformat())


def known_number(position: int) -> str:
    """Twelve digits of somebody whom the warehouse knows, distinct for every position from 0; begins with 0."""
    return f"0{position * _STEP % _NUMBERS:011}"


def newcomer_number(position: int) -> str:
    """Twelve digits of somebody whom only the portal knows, distinct for every position from 0; begins with 1."""
    return f"1{position * _STEP % _NUMBERS:011}"


def drawn_number(rng: Random, now: datetime) -> str:
    """Draw a newcomer's number that nobody had before, also when the same draws were made at another time."""
    return newcomer_number(drawn_identifier(rng, now).int)


def mobile_number(rng: Random) -> str:
    """Draw ten digits, sometimes with the country's prefix. Mobile numbers of India begin with 6 to 9, these with 1 to 5."""
    number = f"{rng.randrange(1, 6)}{rng.randrange(10**9):09}"
    return f"+91 {number}" if rng.random() < WITH_PREFIX_SHARE else number
