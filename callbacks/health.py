"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callbacks.problems import Problem, ProblemError, retry_later
from callbacks.publisher import Publisher


class Health:
    """Handlers for whoever watches the process."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def live(self, _: Request) -> Response:
        """The process answers; restart it when it does not."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> Response:
        """The brokers answer and have the topics; send no callbacks here while they do not. Raises 503."""
        problem = await self._publisher.problem()
        if problem is not None:
            raise ProblemError(Problem.UNAVAILABLE, problem, headers=retry_later())
        return JSONResponse({"status": "ready"})
