"""What a JSON document may not be, found without parsing it: nested deeply, with monstrous numbers, with U+0000."""

from __future__ import annotations

import re
from typing import Final

from callbacks.problems import Problem, ProblemError

MAX_DEPTH: Final = 20
#: Beyond these PostgreSQL's numeric, which jsonb uses, may not hold a number.
MAX_NUMBER_CHARACTERS: Final = 64
MAX_EXPONENT_DIGITS: Final = 3

_TOKENS: Final = re.compile(
    rb"""
    (?P<text>"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))  # also one that never ends, or every later quote would be tried as a beginning
    | (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<number>-?[0-9][0-9.eE+-]*+)
    """,
    re.VERBOSE | re.DOTALL,
)
_LONG_EXPONENT: Final = re.compile(rb"[eE][+-]?0*[0-9]{%d}" % (MAX_EXPONENT_DIGITS + 1))
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check_json_limits(body: bytes) -> None:
    """Raises :class:`ProblemError` (400). What is no JSON at all may pass: the parser says so."""
    depth = 0
    for token in _TOKENS.finditer(body):
        match token.lastgroup:
            case "open":
                depth += 1
                if depth > MAX_DEPTH:
                    raise _unsafe(f"Objects and arrays may be nested {MAX_DEPTH} deep.")
            case "close":
                depth -= 1
            case "number":
                _check_number(token[0])
            case _:
                _check_text(token[0])


def _check_number(token: bytes) -> None:
    if len(token) > MAX_NUMBER_CHARACTERS or _LONG_EXPONENT.search(token):
        raise _unsafe(f"A number may have {MAX_NUMBER_CHARACTERS} characters and an exponent of {MAX_EXPONENT_DIGITS} digits.")


def _check_text(token: bytes) -> None:
    if _ESCAPED_NUL.search(token):
        raise _unsafe("Text may not hold U+0000, which PostgreSQL cannot store.")


def _unsafe(detail: str) -> ProblemError:
    return ProblemError(Problem.MALFORMED_BODY, detail)
