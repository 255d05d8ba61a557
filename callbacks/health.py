"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callbacks.problems import Problem, ProblemError, retry_later
from callbacks.publisher import Publisher

#: A scrape must not wait for a broker that is away.
BRIEF_SECONDS: Final = 0.03


class Health:
    """Handlers for whoever watches the process."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._asking: asyncio.Task[str | None] | None = None
        self.known_ready: bool | None = None

    async def live(self, _: Request) -> Response:
        """The process answers; restart it when it does not."""
        return JSONResponse({"status": "live"})

    async def ready(self, _: Request) -> Response:
        """The brokers answer and have the topics; send no callbacks here while they do not. Raises 503."""
        problem = await self._ask()
        if problem is not None:
            raise ProblemError(Problem.UNAVAILABLE, problem, headers=retry_later())
        return JSONResponse({"status": "ready"})

    async def ask_briefly(self) -> None:
        """Bring :attr:`known_ready` up to date if the answer comes at once; a question that takes long goes on meanwhile."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait({self._asking}, timeout=BRIEF_SECONDS)

    async def _ask(self) -> str | None:
        problem = await self._publisher.problem()
        self.known_ready = problem is None
        return problem
