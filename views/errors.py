"""Errors as pages: the same frame and headers as every other, and never a traceback."""

from __future__ import annotations

import logging
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from views.rendering import Renderer

log = logging.getLogger(__name__)


def error_pages(renderer: Renderer) -> Middleware:
    """Turn refusals and failures of the handlers into pages."""

    @web.middleware
    async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            return _page(renderer, error.status, error.text or error.reason, allow=error.headers.get(hdrs.ALLOW))
        except Exception:  # the boundary to the browser: a fault in a page must not end the worker
            log.exception("the page %s failed", request.path)
            return _page(renderer, HTTPStatus.INTERNAL_SERVER_ERROR, "The worker's log says why.")

    return explain


def _page(renderer: Renderer, status: int, text: str, *, allow: str | None = None) -> web.Response:
    title = HTTPStatus(status).phrase
    body = renderer.page("error.html", status=status, title=title, text=text)
    headers = {hdrs.ALLOW: allow} if allow else None
    return web.Response(text=body, status=status, content_type="text/html", headers=headers)
