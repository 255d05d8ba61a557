"""The pages of a worker on its own web server."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from aiohttp import web

from flows.model import Flow
from flows.registry import FLOWS
from views.errors import error_pages
from views.facts import Inquiry
from views.model import Overview
from views.overview import overview
from views.protocols import Clock, ClusterView, WorkerView
from views.rendering import STATIC_FOLDER, STATIC_PREFIX, Renderer
from views.security import add_headers, gate

FRAGMENT_PATH: Final = "/partials/overview"
REFRESH_MS: Final = 1000


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def mount(
    web_app: web.Application,
    *,
    worker: WorkerView,
    cluster: ClusterView,
    clock: Clock = utc_now,
    flows: Sequence[Flow] = FLOWS,
    allowed_hosts: Collection[str] = (),
) -> None:
    """Add the pages to an application that has not started yet: with Faust, ``app.web.web_app``.

    Must come before Faust adds its own index, that is before the worker starts. ``allowed_hosts`` are names, without
    ports, that the server is reached by besides the loopback ones. Read-only methods, host check and headers hold for the
    whole application.
    """
    pages = Pages(Inquiry(worker, cluster, clock), Renderer(), flows)
    web_app.middlewares.extend((error_pages(pages.renderer), gate(allowed_hosts)))
    web_app.on_response_prepare.append(add_headers)
    web_app.router.add_get("/", pages.index)
    web_app.router.add_get(FRAGMENT_PATH, pages.fragment)
    web_app.router.add_get("/api/overview.json", pages.document)
    web_app.router.add_static(STATIC_PREFIX, STATIC_FOLDER)


class Pages:
    """Handlers. Every one answers from a fresh look."""

    def __init__(self, inquiry: Inquiry, renderer: Renderer, flows: Sequence[Flow]) -> None:
        self.renderer = renderer
        self._inquiry = inquiry
        self._flows = flows

    async def _look(self) -> Overview:
        return overview(await self._inquiry.facts(), self._flows)

    async def index(self, request: web.Request) -> web.Response:
        """The whole page; with ``?live=off`` it stands still until the reader asks."""
        live = request.query.get("live") != "off"
        return self._html("overview.html", live=live, view=await self._look(), fragment=FRAGMENT_PATH, refresh=REFRESH_MS)

    async def fragment(self, request: web.Request) -> web.Response:  # noqa: ARG002 aiohttp passes it
        """The part of the page that changes."""
        return self._html("overview/all.html", view=await self._look())

    async def document(self, request: web.Request) -> web.Response:  # noqa: ARG002 aiohttp passes it
        """The same figures for programs: :class:`views.model.Overview` as JSON."""
        body = msgspec.json.encode(await self._look())
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    def _html(self, template: str, **values: object) -> web.Response:
        return web.Response(text=self.renderer.page(template, **values), content_type="text/html")
