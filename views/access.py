"""Which requests may change something: who they are of, and whether our own form sent them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from multidict import MultiDictProxy

from views.sessions import Session, Sessions, SignedIn
from views.visitor import VISITOR, Visitor

CSRF_FIELD: Final = "csrf"
SIGN_IN: Final = "/sign-in"
SIGN_OUT: Final = "/sign-out"

_SITE: Final = "Sec-Fetch-Site"
_FORM_TYPE: Final = "application/x-www-form-urlencoded"
_FORM_BYTES: Final = 64 * 2**10


@dataclass(frozen=True)
class Form:
    """A form that our own page has sent in this session."""

    session: Session
    signed_in: SignedIn | None
    fields: MultiDictProxy[str]

    def text(self, name: str) -> str:
        """A field without the blanks around it; empty when it is missing."""
        return self.fields.get(name, "").strip()


def visitors(sessions: Sessions) -> Middleware:
    """Tell the pages who looks, and take a notice back once a page has shown it."""

    @web.middleware
    async def look(request: web.Request, handler: Handler) -> web.StreamResponse:
        signed_in = sessions.signed_in(sessions.of(request))
        visitor = Visitor(signed_in, request.path_qs, sessions.told(request))
        before = VISITOR.set(visitor)
        try:
            response = await handler(request)
        finally:
            VISITOR.reset(before)
        if visitor.told:
            sessions.forget_notice(response)
        return response

    return look


async def received(request: web.Request, sessions: Sessions) -> Form:
    """Read a form; raises 403 for one of another site or without its session's token, 400 or 413 for what is no form of ours."""
    _check_origin(request)
    if request.content_type != _FORM_TYPE:
        raise web.HTTPBadRequest(text="Only the forms of these pages are understood.")
    if (request.content_length or 0) > _FORM_BYTES:
        raise web.HTTPRequestEntityTooLarge(_FORM_BYTES, request.content_length or 0)
    session = sessions.of(request)
    fields: MultiDictProxy[str] = await request.post()  # type: ignore[assignment] # this type of form holds no files
    if session is None:
        raise web.HTTPForbidden(text="The session has ended, and nothing was done. Sign in and try again.")
    if not hmac.compare_digest(fields.get(CSRF_FIELD, "").encode(), session.csrf.encode()):
        raise web.HTTPForbidden(text="The form is not of this session, and nothing was done. Load its page again.")
    return Form(session, sessions.signed_in(session), fields)


def _check_origin(request: web.Request) -> None:
    """A browser says at least one of the two; where neither is said, it is no browser, and commands are for programs."""
    origin, site = request.headers.get(hdrs.ORIGIN), request.headers.get(_SITE)
    ours = origin is None or urlsplit(origin).netloc.lower() == request.headers[hdrs.HOST].lower()
    if not ours or site not in (None, "same-origin") or (origin is None and site is None):
        raise web.HTTPForbidden(text="The form was not sent by a page of this server, and nothing was done.")
