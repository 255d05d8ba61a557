"""The pages of a worker on its own web server."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from aiohttp import web

from flows.model import Flow
from flows.registry import FLOWS
from views.access import SIGN_IN, SIGN_OUT, visitors
from views.action_pages import ACTIONS, ActionPages
from views.actions import Desk, all_actions
from views.attempts import Attempts
from views.errors import error_pages
from views.facts import Inquiry
from views.frame import Frame
from views.page import NothingThereError, Page, View
from views.pages import all_pages
from views.protocols import Clock, ClusterView, Unanswered, WorkerView
from views.records import Records
from views.rendering import STATIC_FOLDER, STATIC_PREFIX, Renderer
from views.security import add_headers, gate
from views.sessions import Sessions
from views.sign_in import SignInPages
from views.sources import Sources

ACTION: Final = f"{ACTIONS}/{{action}}"
#: Where a form may be sent; everything else can only be read.
FORMS: Final = frozenset({ACTION, SIGN_IN, SIGN_OUT})


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def mount(  # noqa: PLR0913 who is asked, and what a test replaces
    web_app: web.Application,
    *,
    worker: WorkerView,
    cluster: ClusterView,
    records: Records,
    desk: Desk,
    sessions: Sessions,
    clock: Clock = utc_now,
    flows: Sequence[Flow] = FLOWS,
    allowed_hosts: Collection[str] = (),
) -> None:
    """Add the pages to an application that has not started yet: with Faust, ``app.web.web_app``.

    Must come before Faust adds its own index, that is before the worker starts. ``allowed_hosts`` are names, without
    ports, that the server is reached by besides the loopback ones. Methods, host check and headers hold for the whole
    application.
    """
    pages = all_pages(Sources(Inquiry(worker, cluster, clock), records, clock, flows))
    renderer = Renderer([page for page in pages if page.listed])
    web_app.middlewares.extend((visitors(sessions), error_pages(renderer), gate(allowed_hosts, FORMS)))
    web_app.on_response_prepare.append(add_headers)
    frame = Frame(records.windows, clock)
    for page in pages:
        served = ServedPage(page, frame, renderer)
        web_app.router.add_get(page.path, served.whole)
        web_app.router.add_get(page.fragment_path, served.fragment, name=page.name)
        web_app.router.add_get(page.document_path, served.document)
    _add_forms(
        web_app,
        SignInPages(renderer, sessions, Attempts(clock), desk),
        ActionPages(renderer, sessions, all_actions(flows, desk.jobs), desk),
    )
    web_app.router.add_static(STATIC_PREFIX, STATIC_FOLDER)


def _add_forms(web_app: web.Application, signing: SignInPages, acting: ActionPages) -> None:
    web_app.router.add_get(ACTIONS, acting.index)
    web_app.router.add_get(ACTION, acting.form)
    web_app.router.add_post(ACTION, acting.submit)
    web_app.router.add_get(SIGN_IN, signing.form)
    web_app.router.add_post(SIGN_IN, signing.sign_in)
    web_app.router.add_post(SIGN_OUT, signing.sign_out)


class ServedPage:
    """The three handlers of a page. Every one answers from a fresh look."""

    def __init__(self, page: Page, frame: Frame, renderer: Renderer) -> None:
        self._page = page
        self._frame = frame
        self._renderer = renderer

    async def whole(self, request: web.Request) -> web.Response:
        """The whole page; with ``?live=off`` it stands still until the reader asks."""
        live = request.query.get("live") != "off"
        still = request.rel_url.without_query_params("live")
        addresses = {
            "fragment": self._fragment_of(request),
            "moving": str(still),
            "standing": str(still.update_query(live="off")),
        }
        return await self._html("page.html", request, live=live, **addresses)

    async def fragment(self, request: web.Request) -> web.Response:
        """The part of the page that changes."""
        return await self._html("fragment.html", request)

    async def document(self, request: web.Request) -> web.Response:
        """The same figures for programs: the view as JSON."""
        body = msgspec.json.encode(await self._look(request))
        return web.Response(body=body, content_type="application/json", charset="utf-8")

    async def _look(self, request: web.Request) -> View:
        wish = {**request.query, **request.match_info}
        if any("\0" in value for value in wish.values()):
            raise web.HTTPBadRequest(text="Nothing that is kept has a NUL in it.")
        try:
            return await self._page.look(wish)
        except NothingThereError as error:
            raise web.HTTPNotFound(text=str(error)) from None
        except Unanswered as error:
            raise web.HTTPServiceUnavailable(text=f"{error}.".capitalize()) from None

    async def _html(self, template: str, request: web.Request, **values: object) -> web.Response:
        view, banner = await asyncio.gather(self._look(request), self._frame.banner())
        shown = {"page": self._page, "view": view, "heading": self._page.headed(view), "banner": banner}
        text = self._renderer.page(template, **shown, **values)
        return web.Response(text=text, content_type="text/html")

    def _fragment_of(self, request: web.Request) -> str:
        """Its address, for the same wish."""
        fragment = request.app.router[self._page.name].url_for(**request.match_info)
        return str(fragment.with_query(request.rel_url.without_query_params("live").query))
