"""The outermost layer of the application: every request ends in an answer and in one line of the log, without its content."""

from __future__ import annotations

import logging
import time
import traceback
from types import TracebackType

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callbacks.answers import problem_response
from callbacks.figures import ACCEPTED, GONE, Figures
from callbacks.problems import Problem, ProblemError

log = logging.getLogger(__name__)


class Boundary:
    """Catches what nobody expected, adds headers to every answer, logs and counts."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        exchange = _Exchange(scope, send)
        try:
            await self._app(scope, receive, exchange.send)
        except ClientDisconnect:
            exchange.outcome = GONE
        except Exception as error:  # noqa: BLE001 the boundary: whoever posts gets an answer whatever fails
            # Not the message: it may quote a value.
            log.error("%s failed: %s at %s", exchange.route, type(error).__name__, _where(error.__traceback__))  # noqa: TRY400
            await exchange.fail(receive)
        exchange.note(self._figures)
        return None


class _Exchange:
    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._began = time.perf_counter()
        self.outcome: object = None

    @property
    def route(self) -> str:
        """The route, not the path: that is text of the sender's."""
        return str(getattr(self._scope.get("route"), "path", "-"))

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.outcome = message["status"]
            MutableHeaders(scope=message).update({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
        await self._send(message)

    async def fail(self, receive: Receive) -> None:
        if self.outcome is None:
            error = ProblemError(Problem.INTERNAL, "Send it again later with the same webhook-id; the intake's log says more.")
            self._scope.setdefault("state", {})["problem"] = error.problem
            await problem_response(error)(self._scope, receive, self.send)

    def note(self, figures: Figures) -> None:
        state, seconds = self._scope.get("state", {}), time.perf_counter() - self._began
        problem = state.get("problem")
        counted = GONE if self.outcome == GONE else problem.name.lower() if problem else ACCEPTED
        figures.answered(self.route, counted, seconds)
        log.info(
            "%s %s sender=%s webhook-id=%s %.1f ms",
            self.outcome,
            self.route,
            state.get("sender", "-"),
            state.get("webhook_id", "-"),
            seconds * 1000,
        )


def _where(trace: TracebackType | None) -> str:
    return " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(traceback.extract_tb(trace, -6)))
