"""Masks: what people may see of a private value. Never more than four characters in clear, an e-mail's domain aside.

A value shorter than :data:`SHORTEST` is masked whole.
"""

from __future__ import annotations

from typing import Final

from flows.transforms import Mask, literal

SHORTEST: Final = 8
HIDDEN: Final = "****"


def last_four(prefix: str) -> Mask:
    """``prefix`` and the last four characters."""
    return Mask(
        name=f"mask: {prefix}1234",
        python=lambda given: None if given is None else HIDDEN if len(given) < SHORTEST else prefix + given[-4:],
        sql=lambda expression: (
            f"CASE WHEN length({expression}) < {SHORTEST} THEN '{HIDDEN}' ELSE '{prefix}' || right({expression}, 4) END"
        ),
        shown=f"^({_exactly(HIDDEN)}|{_exactly(prefix)}.{{4}})$",
    )


def constant(shown: str) -> Mask:
    """The same whatever the value is, null too: that a row exists is all that may be known."""
    return Mask(
        name=f"mask: always {shown}",
        python=lambda _: shown,
        sql=lambda _: literal(shown),
        results=(shown,),
        shown=f"^{_exactly(shown)}$",
    )


def _exactly(text: str) -> str:
    """A regular expression for a text of letters, digits, stars and dashes."""
    return text.replace("*", "[*]")


def _email(given: str | None) -> str | None:
    if given is None:
        return None
    local, at, domain = given.rpartition("@")
    return f"{local[:1]}***@{domain}" if at and len(given) >= SHORTEST else HIDDEN


#: Aadhaar and Jan Aadhaar numbers.
AADHAAR: Final = last_four("****-****-")
MOBILE: Final = last_four("******")
EMAIL: Final = Mask(
    name="mask: a***@domain",
    python=_email,
    sql=lambda expression: (
        f"CASE WHEN length({expression}) < {SHORTEST} OR strpos({expression}, '@') = 0 THEN '{HIDDEN}'"
        f" ELSE left(regexp_replace({expression}, '@[^@]*$', ''), 1) || '***@' || regexp_replace({expression}, '^.*@', '') END"
    ),
    shown=f"^({_exactly(HIDDEN)}|.?[*][*][*]@[^@]*)$",
)
