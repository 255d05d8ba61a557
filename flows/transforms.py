"""Transforms: one named value with two renderings, Python and SQL, that give equal results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass(frozen=True)
class Transform:
    """``python(value)`` and ``sql(expression)`` map a source value to a target value; both accept null.

    ``results`` are all that can come out, where that is known.
    """

    name: str
    python: Callable[[Any], Any]
    sql: Callable[[str], str]
    results: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True, repr=False, kw_only=True)
class Mask(Transform):
    """A transform that hides a private value: what comes out may be shown to people.

    ``shown``: a regular expression that whatever comes out matches; a dot in it is any character.
    """

    shown: str


def default_to(value: Decimal | str) -> Transform:
    """Null becomes ``value``."""
    default = str(value) if isinstance(value, Decimal) else literal(value)
    return Transform(
        f"null → {value}",
        lambda given: value if given is None else given,
        lambda expression: f"coalesce({expression}, {default})",
    )


def round_to(decimals: int) -> Transform:
    """Half away from zero on exact decimals, as PostgreSQL's ``round(numeric, n)``."""
    quantum = Decimal(1).scaleb(-decimals)
    return Transform(
        f"round to {decimals} decimals, half away from zero",
        lambda given: None if given is None else given.quantize(quantum, ROUND_HALF_UP),
        lambda expression: f"round({expression}, {decimals})",
    )


def cut_to(length: int) -> Transform:
    """The first ``length`` code points."""
    return Transform(
        f"cut at {length} code points",
        lambda given: None if given is None else given[:length],
        lambda expression: f"left({expression}, {length})",
    )


def recode(codes: Mapping[str, str], otherwise: str) -> Transform:
    """Each of ``codes`` becomes its value; everything else, null too, becomes ``otherwise``."""
    cases = " ".join(f"WHEN {literal(given)} THEN {literal(code)}" for given, code in codes.items())
    return Transform(
        ", ".join([*(f"{given} → {code}" for given, code in codes.items()), f"anything else → {otherwise}"]),
        lambda given: codes.get(given, otherwise),
        lambda expression: f"CASE {expression} {cases} ELSE {literal(otherwise)} END",
        (*dict.fromkeys((*codes.values(), otherwise)),),
    )


def literal(text: str) -> str:
    """A text of a definition as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
