"""The forms by which operators act: each says what it does, asks for a reason and a confirmation, and is sent once."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

from aiohttp import hdrs, web
from yarl import URL

from views.access import SIGN_IN, Form, received
from views.actions import Action, Desk, NotDoneError, Order
from views.rendering import Renderer
from views.sessions import Sessions, SignedIn
from views.sign_in import local

ACTIONS: Final = "/actions"
REASON_CHARACTERS: Final = 500

Problems = Mapping[str, str]


class ActionPages:
    """Handlers."""

    def __init__(self, renderer: Renderer, sessions: Sessions, actions: tuple[Action, ...], desk: Desk) -> None:
        self._renderer = renderer
        self._sessions = sessions
        self._actions = {action.name: action for action in actions}
        self._desk = desk

    async def index(self, request: web.Request) -> web.Response:  # noqa: ARG002 aiohttp passes it
        """All that can be done, and who may."""
        groups = [(name, list(found)) for name, found in groupby(self._actions.values(), lambda action: action.group)]
        return web.Response(text=self._renderer.page("actions.html", groups=groups), content_type="text/html")

    async def form(self, request: web.Request) -> web.Response:
        """The form of an action, filled in as the address says; whoever has not signed in does so first."""
        action = self._action(request)
        who = self._sessions.signed_in(self._sessions.of(request))
        if who is None:
            raise web.HTTPSeeOther(URL(SIGN_IN).with_query(next=request.path_qs))
        _check_role(action, who)
        return self._show(action, who, dict(request.query), {})

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Carry it out and say so on the page that the operator came from, or say on the form what is wrong."""
        action, form = self._action(request), await received(request, self._sessions)
        who = form.signed_in
        if who is None:
            raise web.HTTPForbidden(text="You are not signed in any more, and nothing was done. Sign in and try again.")
        _check_role(action, who)
        values, problems = _read(action, form)
        if problems:
            return self._show(action, who, dict(form.fields), problems, HTTPStatus.UNPROCESSABLE_ENTITY)
        order = Order(action, who, request.remote or "unknown", form.text("reason"), values)
        try:
            done = await self._desk.perform(order)
        except NotDoneError as error:
            return self._show(action, who, dict(form.fields), {"": f"This did not succeed: {error}"}, HTTPStatus.CONFLICT)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: local(form.text("back"), ACTIONS)})
        self._sessions.tell(response, done)
        return response

    def _action(self, request: web.Request) -> Action:
        try:
            return self._actions[request.match_info["action"]]
        except KeyError:
            raise web.HTTPNotFound(text="There is no such action.") from None

    def _show(
        self, action: Action, who: SignedIn, given: Mapping[str, str], problems: Problems, status: int = HTTPStatus.OK
    ) -> web.Response:
        back = local(given.get("back", ""), ACTIONS)
        body = self._renderer.page(
            "action.html",
            action=action,
            csrf=who.session.csrf,
            given=given,
            back=back,
            problems=problems,
            longest=REASON_CHARACTERS,
        )
        return web.Response(text=body, status=status, content_type="text/html")


def _check_role(action: Action, who: SignedIn) -> None:
    if not who.role.may(action.role):
        raise web.HTTPForbidden(text=f"{action.title}: this needs the role {action.role}; {who.name} is {who.role}.")


def _read(action: Action, form: Form) -> tuple[dict[str, Any], Problems]:
    """Read values by field, and what is wrong by field."""
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in action.fields:
        try:
            values[field.name] = field.read(form.text(field.name))
        except ValueError as error:
            problems[field.name] = f"{field.label}: {error}"
    reason = form.text("reason")
    if not reason or len(reason) > REASON_CHARACTERS or not reason.isprintable():
        problems["reason"] = f"Reason: say in one line of up to {REASON_CHARACTERS} characters why"
    if form.text("confirmed") != "yes":
        problems["confirmed"] = "Confirm that it shall be done"
    return values, problems
