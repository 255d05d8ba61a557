"""What the OpenAPI document says of each route, derived from the definitions and the closed list of problems."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from starlette.responses import JSONResponse

from callbacks.problems import MEDIA_TYPE, Problem, problem_schema
from callbacks.signed_headers import ID, JSON, PATTERNS, SENDER, SIGNATURE, TIMESTAMP
from flows.callback_model import Callback
from flows.callback_registry import CALLBACKS
from schemas.callback_body import body_schema, example_body

TITLE: Final = "Smart sync callbacks"
VERSION: Final = "1.0.0"  # of the contract: the second figure rises with what is added, the first with what breaks a sender
DESCRIPTION: Final = (
    "Forecasts and alerts for the citizen portal. Every message is signed as in Standard Webhooks. Send a message again, with the"
    " same webhook-id and a new signature, until it is answered 202 or with another 4xx than 408 and 429: it is stored once."
)

_HEADERS: Final = {
    SENDER: "The sender's name. It selects the keys and proves nothing.",
    ID: "Identifies the message, unique for the sender; the same for every attempt to send it.",
    TIMESTAMP: "When this attempt was signed, in seconds since 1970; within five minutes of now.",
    SIGNATURE: "v1, a comma and the base64 of HMAC-SHA-256 over id, timestamp and body, joined by full stops.",
}
_ANSWERS: Final = tuple(problem for problem in Problem if problem not in {Problem.NOT_FOUND, Problem.METHOD_NOT_ALLOWED})
_WITH_RETRY_AFTER: Final = frozenset({Problem.TOO_MANY_REQUESTS, Problem.OVERLOADED, Problem.UNAVAILABLE})


def components() -> dict[str, Any]:
    """The schemas that the routes refer to."""
    bodies = {callback.record: body_schema(callback) for callback in CALLBACKS}
    return {"schemas": {"Problem": problem_schema(), **bodies}}


def operation(callback: Callback) -> dict[str, Any]:
    """Arguments of the framework's route for a callback."""
    return {
        "operation_id": f"post_{callback.route}",
        "summary": f"Post one of the {callback.route}",
        "description": callback.doc,
        "status_code": 202,
        "response_class": JSONResponse,
        "response_model": None,
        "responses": _problems(_ANSWERS) | {202: _accepted()},
        "openapi_extra": {
            "parameters": [_parameter(name) for name in PATTERNS],
            "requestBody": {"required": True, "content": {JSON: _body(callback)}},
        },
    }


def health(operation_id: str, status: str, problems: Iterable[Problem] = ()) -> dict[str, Any]:
    """Arguments of the framework's route for a question about health."""
    answer = {"type": "object", "properties": {"status": {"const": status}}, "required": ["status"]}
    return {
        "operation_id": operation_id,
        "response_class": JSONResponse,
        "response_model": None,
        "responses": _problems(problems) | {200: {"description": f"It is {status}.", "content": {JSON: {"schema": answer}}}},
    }


def _parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": PATTERNS[name]}
    return {"name": name, "in": "header", "required": True, "description": _HEADERS[name], "schema": schema}


def _body(callback: Callback) -> dict[str, Any]:
    return {"schema": _reference(callback.record), "example": example_body(callback)}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _accepted() -> dict[str, Any]:
    schema = {"type": "object", "properties": {"accepted": {"type": "string"}}, "required": ["accepted"]}
    return {"description": "Stored, with all replicas; also for a repeated message.", "content": {JSON: {"schema": schema}}}


def _problems(problems: Iterable[Problem]) -> dict[int | str, dict[str, Any]]:
    """One answer for each status; its description lists the types of problem."""
    by_status: dict[int, list[Problem]] = {}
    for problem in problems:
        by_status.setdefault(problem.status.value, []).append(problem)
    return {status: _answer(group) for status, group in by_status.items()}


def _answer(problems: list[Problem]) -> dict[str, Any]:
    description = "; ".join(f"{problem.title} (`{problem.type}`)" for problem in problems)
    answer: dict[str, Any] = {"description": description, "content": {MEDIA_TYPE: {"schema": _reference("Problem")}}}
    if _WITH_RETRY_AFTER.intersection(problems):
        schema = {"type": "integer", "minimum": 1}
        answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": schema}}
    return answer
