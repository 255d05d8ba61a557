"""The application: one route for each callback, health, and the OpenAPI document that describes them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from callbacks import openapi
from callbacks.answers import answer_problem, answer_routing
from callbacks.boundary import Boundary
from callbacks.figures import Figures, Scrape
from callbacks.health import Health
from callbacks.intake import Doorway, Intake, Occupancy
from callbacks.problems import Problem, ProblemError
from callbacks.publisher import Publisher
from callbacks.senders import known_senders
from callbacks.settings import Callbacks
from flows.callback_registry import CALLBACKS

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class Site(FastAPI):
    """The framework's application with our schemas in its document."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        return super().openapi() | {"components": openapi.components()}


def create_application(
    settings: Callbacks,
    publisher: Publisher,
    *,
    lifespan: Lifespan | None = None,
    now: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """An ASGI application; ``lifespan`` surrounds its service."""
    app = Site(
        title=openapi.TITLE,
        version=openapi.VERSION,
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    figures, health = Figures(), Health(publisher)
    app.add_middleware(Boundary, figures=figures)
    app.add_exception_handler(ProblemError, answer_problem)
    app.add_exception_handler(HTTPException, answer_routing)
    doorway, occupancy = Doorway(settings, known_senders(settings), publisher, now), Occupancy(settings.max_requests)
    for callback in CALLBACKS:
        intake = Intake(callback, doorway, occupancy)
        app.add_api_route(callback.path, intake.accept, methods=["POST"], **openapi.operation(callback))
    app.add_api_route("/livez", health.live, methods=["GET"], **openapi.health("livez", "live"))
    app.add_api_route("/readyz", health.ready, methods=["GET"], **openapi.health("readyz", "ready", [Problem.UNAVAILABLE]))
    app.add_api_route("/metrics", Scrape(figures, health).answer, methods=["GET"], include_in_schema=False)
    return app
