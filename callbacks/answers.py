"""Problems as answers of the application."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from callbacks.problems import MEDIA_TYPE, Problem, ProblemError, problem_body

_OF_ROUTING: Final = {
    404: (Problem.NOT_FOUND, "The OpenAPI document, /openapi.json, lists what there is."),
    405: (Problem.METHOD_NOT_ALLOWED, "The header Allow says which methods it takes."),
}


def problem_response(error: ProblemError) -> Response:
    """The answer of a problem."""
    body = problem_body(error.problem, error.detail, error.violations)
    return Response(body, error.problem.status, error.headers, MEDIA_TYPE)


async def answer_problem(request: Request, error: Exception) -> Response:
    """Exception handler of :class:`ProblemError`; the boundary counts by what stands in the request's state."""
    assert isinstance(error, ProblemError)
    request.state.problem = error.problem
    return problem_response(error)


async def answer_routing(_: Request, error: Exception) -> Response:
    """Exception handler of what the framework refuses: unknown addresses and methods."""
    assert isinstance(error, HTTPException)
    problem, detail = _OF_ROUTING[error.status_code]
    return problem_response(ProblemError(problem, detail, headers=error.headers))
