"""What an action asks for besides a reason: how a form shows it, and how its text becomes a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

_NUMBERS: Final = re.compile(r"[\s,]+")
_MOST_NUMBERS: Final = 1000
_GREATEST: Final = 2**63 - 1


@dataclass(frozen=True)
class Field:
    """``read`` makes the value out of what was typed; raises ``ValueError`` that says what is expected."""

    name: str
    label: str
    kind: Literal["choice", "flag", "text"]
    read: Callable[[str], object]
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = True


def choice(name: str, label: str, options: Iterable[tuple[str, str]], hint: str = "") -> Field:
    """One of several, as (value, text)."""
    known = tuple(options)

    def read(text: str) -> str:
        if text not in dict(known):
            raise ValueError("choose one of the list")
        return text

    return Field(name, label, "choice", read, hint, known)


def flag(name: str, label: str, hint: str = "") -> Field:
    """A box that may be ticked."""
    return Field(name, label, "flag", lambda text: text == "yes", hint, required=False)


def number(name: str, label: str, hint: str = "") -> Field:
    """A whole number from 0 on."""
    return Field(name, label, "text", _number, hint)


def numbers(name: str, label: str, hint: str = "") -> Field:
    """Whole numbers, with blanks or commas between."""

    def read(text: str) -> tuple[int, ...]:
        found = tuple(dict.fromkeys(_number(part) for part in _NUMBERS.split(text) if part))
        if not 1 <= len(found) <= _MOST_NUMBERS:
            raise ValueError(f"write 1 to {_MOST_NUMBERS:,} numbers")
        return found

    return Field(name, label, "text", read, hint)


def slot(name: str, label: str, hint: str = "") -> Field:
    """A moment in ISO 8601 with its zone, in UTC without one; may be left empty."""

    def read(text: str) -> datetime | None:
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("write a time like 2026-03-01T04:00, in UTC") from None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    return Field(name, label, "text", read, hint, required=False)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _GREATEST):
        raise ValueError("write a whole number")
    return int(text)
