"""`/metrics`, `/livez` and `/readyz` of a worker."""

from __future__ import annotations

from http import HTTPStatus
from typing import Protocol

from aiohttp import hdrs, web

from metrics.exposition import CONTENT_TYPE, Exposition


class Condition(Protocol):
    """What is known of the worker's health; see :class:`app.health.Health`."""

    def stuck(self) -> str | None:
        """Why it should be started anew."""

    def problems(self) -> dict[str, str | None]:
        """Every check with what is wrong."""


def mount_probes(web_app: web.Application, exposition: Exposition, health: Condition) -> None:
    """Add the three routes to an application that has not started yet."""
    probes = _Probes(exposition, health)
    web_app.router.add_get("/metrics", probes.metrics)
    web_app.router.add_get("/livez", probes.live)
    web_app.router.add_get("/readyz", probes.ready)


class _Probes:
    def __init__(self, exposition: Exposition, health: Condition) -> None:
        self._exposition = exposition
        self._health = health

    async def metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._exposition.text(), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE})

    async def live(self, _: web.Request) -> web.Response:
        stuck = self._health.stuck()
        if stuck is None:
            return web.Response(text="live\n")
        return _unavailable(f"no progress although the log grows: {stuck}\n")

    async def ready(self, request: web.Request) -> web.Response:
        """With ``?verbose`` every check has its line; without, only those that fail."""
        problems = self._health.problems()
        failing = any(problems.values())
        lines = [_line(name, problem) for name, problem in problems.items() if problem or "verbose" in request.query]
        text = "\n".join([*lines, "not ready" if failing else "ready"]) + "\n"
        return _unavailable(text) if failing else web.Response(text=text)


def _line(name: str, problem: str | None) -> str:
    return f"[-] {name}: {problem}" if problem else f"[+] {name}"


def _unavailable(text: str) -> web.Response:
    return web.Response(text=text, status=HTTPStatus.SERVICE_UNAVAILABLE)
