"""What can be wrong with a request: the closed list of answers, as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from http import HTTPStatus
from typing import Final

import msgspec

from schemas.callback_body import Violation

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:sync:problem:"
RETRY_SECONDS: Final = 2


class Problem(Enum):
    """One kind of problem each: the status of the answer and a title that never changes."""

    MALFORMED_REQUEST = (HTTPStatus.BAD_REQUEST, "The request is not HTTP/1.1")
    DUPLICATE_HEADER = (HTTPStatus.BAD_REQUEST, "A header that decides stands twice")
    MALFORMED_BODY = (HTTPStatus.BAD_REQUEST, "The body is not a JSON document that can be read safely")
    UNSIGNED = (HTTPStatus.UNAUTHORIZED, "The request is not signed")
    STALE = (HTTPStatus.UNAUTHORIZED, "The signature's time is too far from now")
    BAD_SIGNATURE = (HTTPStatus.UNAUTHORIZED, "The signature is not one of the sender's")
    ROUTE_NOT_ALLOWED = (HTTPStatus.FORBIDDEN, "The sender may not use this route")
    NOT_FOUND = (HTTPStatus.NOT_FOUND, "There is nothing at this address")
    METHOD_NOT_ALLOWED = (HTTPStatus.METHOD_NOT_ALLOWED, "The address does not take this method")
    TOO_SLOW = (HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time")
    TOO_LARGE = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large")
    UNSUPPORTED_MEDIA = (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be plain application/json")
    INVALID_BODY = (HTTPStatus.UNPROCESSABLE_ENTITY, "The body is not what this route takes")
    TOO_MANY_REQUESTS = (HTTPStatus.TOO_MANY_REQUESTS, "The sender posts faster than it may")
    INTERNAL = (HTTPStatus.INTERNAL_SERVER_ERROR, "The intake failed")
    OVERLOADED = (HTTPStatus.SERVICE_UNAVAILABLE, "The intake has too many requests under way")
    UNAVAILABLE = (HTTPStatus.SERVICE_UNAVAILABLE, "The message could not be stored now")

    def __init__(self, status: HTTPStatus, title: str) -> None:
        self.status = status
        self.title = title

    @property
    def type(self) -> str:
        """The URI that programs tell problems apart by."""
        return TYPE_PREFIX + self.name.lower().replace("_", "-")


class ProblemError(Exception):
    """Ends a request with a problem. ``detail`` says what was wrong and what to do, and holds no value of the request."""

    def __init__(
        self,
        problem: Problem,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail
        self.headers = dict(headers or {})
        self.violations = violations


def retry_later() -> dict[str, str]:
    """The header of an answer that another attempt may change."""
    return {"Retry-After": str(RETRY_SECONDS)}


def problem_body(problem: Problem, detail: str, violations: Sequence[Violation] = ()) -> bytes:
    """The answer's body."""
    document = {"type": problem.type, "title": problem.title, "status": problem.status.value, "detail": detail}
    errors = {"errors": [asdict(each) for each in violations]} if violations else {}
    return msgspec.json.encode(document | errors)


def problem_schema() -> dict[str, object]:
    """The JSON schema of the answer's body."""
    pointer = {"type": "string", "description": "Where in the body: a JSON pointer as a URI fragment."}
    error = {
        "type": "object",
        "properties": {"pointer": pointer, "detail": {"type": "string", "description": "The rule that is broken."}},
        "required": ["pointer", "detail"],
    }
    return {
        "type": "object",
        "description": "What was wrong, as in RFC 9457. Values of the request are never part of it.",
        "properties": {
            "type": {"type": "string", "format": "uri", "enum": [problem.type for problem in Problem]},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": error, "description": "All that is wrong with a body."},
        },
        "required": ["type", "title", "status", "detail"],
    }
