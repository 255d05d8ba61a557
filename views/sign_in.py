"""Signing in with a token, and out."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from views.access import SIGN_IN, Form, received
from views.actions import Desk
from views.attempts import Attempts
from views.operators import Operator
from views.rendering import Renderer
from views.sessions import Session, Sessions

# A path of this server with its query: no other host, no backslash that browsers take for a slash, nothing to break a header.
_LOCAL: Final = re.compile(r"/(?![/\\])[A-Za-z0-9._~/%?&=+,:*@-]{0,2000}")
_SIGN_IN, _SIGN_OUT = "sign in", "sign out"


def local(path: str, otherwise: str = "/") -> str:
    """The path, if it leads to a page of this server."""
    return path if _LOCAL.fullmatch(path) else otherwise


class SignInPages:
    """Handlers."""

    def __init__(self, renderer: Renderer, sessions: Sessions, attempts: Attempts, desk: Desk) -> None:
        self._renderer = renderer
        self._sessions = sessions
        self._attempts = attempts
        self._desk = desk

    async def form(self, request: web.Request) -> web.Response:
        """Ask for the token; who has signed in already is sent on."""
        session = self._sessions.of(request)
        if self._sessions.signed_in(session):
            raise web.HTTPSeeOther(local(request.query.get("next", "")))
        return self._ask(request, session or self._sessions.anonymous(), request.query.get("next", ""))

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """Begin a session of the token's owner, and go to where they came from."""
        form, address = await received(request, self._sessions), request.remote or "unknown"
        if seconds := self._attempts.wait(address):
            return self._too_often(request, form, seconds)
        operator = self._sessions.roster.whose(form.text("token"))
        if operator is None:
            self._attempts.failed(address)
            await self._desk.note("unknown", "none", address, _SIGN_IN, "no such token")
            text = "This token is not known. Tokens are made and taken away by who runs the workers."
            return self._ask(request, form.session, form.text("next"), text, HTTPStatus.FORBIDDEN)
        self._attempts.forget(address)
        return await self._begin(form, operator, address)

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """End the session, whatever copies of its cookie there are."""
        form = await received(request, self._sessions)
        self._sessions.end(form.session)
        if form.signed_in is not None:
            await self._desk.note(form.signed_in.name, form.signed_in.role, request.remote or "unknown", _SIGN_OUT)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: "/"})
        self._sessions.forget(response)
        self._sessions.tell(response, "You have signed out.")
        return response

    async def _begin(self, form: Form, operator: Operator, address: str) -> web.StreamResponse:
        self._sessions.end(form.session)
        await self._desk.note(operator.name, operator.role, address, _SIGN_IN)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: local(form.text("next"))})
        self._sessions.keep(response, self._sessions.begin(operator))
        self._sessions.tell(response, f"You are signed in as {operator.name}.")
        return response

    def _too_often(self, request: web.Request, form: Form, seconds: int) -> web.Response:
        text = f"Too many tokens that are not known came from your address. Try again in {seconds} s."
        response = self._ask(request, form.session, form.text("next"), text, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers[hdrs.RETRY_AFTER] = str(seconds)
        return response

    def _ask(
        self, request: web.Request, session: Session, after: str, problem: str | None = None, status: int = HTTPStatus.OK
    ) -> web.Response:
        configured = bool(self._sessions.roster.operators())
        body = self._renderer.page(
            "sign_in.html", csrf=session.csrf, next=local(after), problem=problem, configured=configured, action=SIGN_IN
        )
        response = web.Response(text=body, status=status, content_type="text/html")
        if self._sessions.of(request) is None:
            self._sessions.keep(response, session)
        return response
