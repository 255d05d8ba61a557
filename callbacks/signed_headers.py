"""The headers of a signed request, checked before anything of the body is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.datastructures import Headers

from callbacks.problems import Problem, ProblemError

#: How far the time of a signature, or of what a body reports, may be from now. The library's own figure, both ways.
TOLERANCE: Final = timedelta(minutes=5)

SENDER: Final = "webhook-sender"
ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"

#: What each must look like. No full stop in an id: full stops join what is signed.
PATTERNS: Final[Mapping[str, str]] = {
    SENDER: "^[A-Za-z0-9._-]{1,64}$",
    ID: "^[A-Za-z0-9_-]{1,64}$",
    TIMESTAMP: "^[0-9]{1,11}$",
    SIGNATURE: "^v1a?,[A-Za-z0-9+/=]{1,128}( v1a?,[A-Za-z0-9+/=]{1,128}){0,7}$",
}
JSON: Final = "application/json"
#: Every 401 names the scheme.
CHALLENGE: Final = {"WWW-Authenticate": "Standard-Webhooks"}

_SINGLE: Final = (*PATTERNS, "content-type", "content-encoding", "content-length")


@dataclass(frozen=True)
class SignedHeaders:
    """What a request says of itself; nothing of it is proven yet."""

    sender: str
    webhook_id: str
    timestamp: str
    signature: str

    def for_library(self) -> dict[str, str]:
        """As Standard Webhooks names them."""
        return {ID: self.webhook_id, TIMESTAMP: self.timestamp, SIGNATURE: self.signature}


def read_headers(headers: Headers, now: datetime, max_body_bytes: int) -> SignedHeaders:
    """Raises :class:`ProblemError`: 400, 401, 413 or 415."""
    _refuse_duplicates(headers)
    _refuse_other_media(headers)
    _refuse_announced_size(headers, max_body_bytes)
    signed = SignedHeaders(*(_well_formed(headers, name) for name in PATTERNS))
    _refuse_other_times(signed.timestamp, now)
    return signed


def too_large(max_body_bytes: int) -> ProblemError:
    """The answer to a body, announced or read, that is larger than the limit."""
    return ProblemError(Problem.TOO_LARGE, f"The limit is {max_body_bytes} bytes.")


def _refuse_duplicates(headers: Headers) -> None:
    for name in _SINGLE:
        if len(headers.getlist(name)) > 1:
            raise ProblemError(Problem.DUPLICATE_HEADER, f"The header {name} may stand only once.")


def _refuse_other_media(headers: Headers) -> None:
    if headers.get("content-type") != JSON:
        raise ProblemError(Problem.UNSUPPORTED_MEDIA, f"The header content-type must be {JSON}, without parameters.")
    if "content-encoding" in headers:
        answer = {"Accept-Encoding": "identity"}
        raise ProblemError(
            Problem.UNSUPPORTED_MEDIA, "The body must not be compressed: leave content-encoding out.", headers=answer
        )


def _refuse_announced_size(headers: Headers, limit: int) -> None:
    announced = headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:12]) > limit:
        raise too_large(limit)


def _well_formed(headers: Headers, name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise _unsigned(f"The header {name} is missing.")
    if not re.fullmatch(PATTERNS[name], value, re.ASCII):
        raise _unsigned(f"The header {name} does not match {PATTERNS[name]}")
    return value


def _unsigned(detail: str) -> ProblemError:
    return ProblemError(Problem.UNSIGNED, detail, headers=CHALLENGE)


def _refuse_other_times(timestamp: str, now: datetime) -> None:
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > TOLERANCE:
        minutes = TOLERANCE.seconds // 60
        detail = f"The header {TIMESTAMP} is more than {minutes} minutes from now: sign each attempt anew, check the clock."
        raise ProblemError(Problem.STALE, detail, headers=CHALLENGE)
