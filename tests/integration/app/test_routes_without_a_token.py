"""Every route that a worker really has, asked by somebody without a token: what documents call open is, nothing changes."""

import re
from http import HTTPStatus

import pytest
from aiohttp.test_utils import TestClient, TestServer

from app.composition import create_app
from batch_timers.jobs import JOBS
from flows.registry import FLOWS
from views.access import SIGN_IN, SIGN_OUT
from views.action_pages import ACTIONS
from views.actions import all_actions
from views.rendering import STATIC_PREFIX
from views.site import ACTION, FORMS

WRITING = ("POST", "PUT", "PATCH", "DELETE")
PLACEHOLDER = re.compile(r"\{\w+\}")
NAMES = {"{flow}": FLOWS[0].name, "{database}": "citizen"}
FORM = {
    "flow": FLOWS[0].name,
    "job": JOBS[0].name,
    "reason": "an intruder",
    "confirmed": "yes",
    "csrf": "made-up",
    "token": "made-up",
}
CHANGED = (
    "SELECT (SELECT count(*) FROM sync.audit) + (SELECT count(*) FROM sync.flow_state) + (SELECT count(*) FROM sync.maintenance)"
)


@pytest.fixture
async def worker(migrated, tmp_path):
    """The web server of a worker with everything that Faust adds when it starts, and no worker behind it."""
    here = migrated.worker.model_copy(update={"data_dir": tmp_path})
    application = create_app(migrated.model_copy(update={"worker": here}))
    application.web.init_server()
    async with TestClient(TestServer(application.web.web_app)) as client:
        yield client


def places(path):
    """Addresses of a route: one for every action, a name or a number for other placeholders."""
    if path == ACTION:
        return [f"{ACTIONS}/{action.name}" for action in all_actions(FLOWS, [job.name for job in JOBS])]
    if path == STATIC_PREFIX.rstrip("/"):
        return [f"{path}/style.css"]
    return [PLACEHOLDER.sub(lambda found: NAMES.get(found[0], "1"), path)]


def routes(client):
    """(Path as it was added, address) of every route."""
    found = {route.resource.canonical for route in client.app.router.routes() if route.resource is not None}
    return [(path, place) for path in sorted(found) for place in places(path)]


def readable(path):
    """What reading a route may answer."""
    if path == SIGN_OUT:
        return {HTTPStatus.METHOD_NOT_ALLOWED}
    if path == ACTION:
        return {HTTPStatus.SEE_OTHER}
    if path in ("/livez", "/readyz"):
        return {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
    return {HTTPStatus.OK, HTTPStatus.NOT_FOUND} if PLACEHOLDER.search(path) else {HTTPStatus.OK}


async def test_of_a_worker_everything_can_be_read_but_actions_which_lead_to_the_sign_in(worker):
    found = routes(worker)
    assert {"/", "/metrics", "/livez", "/readyz", ACTIONS, SIGN_IN} < {path for path, _ in found}
    wrong = []
    for path, place in found:
        async with worker.get(place, allow_redirects=False) as answer:
            wrong += [] if answer.status in readable(path) else [(place, answer.status)]
            if answer.status == HTTPStatus.SEE_OTHER:
                assert answer.headers["Location"].startswith(f"{SIGN_IN}?next=")
    assert wrong == []


async def test_of_a_worker_nothing_can_be_changed_by_any_method(worker, citizen):
    before = citizen.execute(CHANGED).fetchone()
    origin = str(worker.make_url("/"))
    for path, place in routes(worker):
        for method in WRITING:
            refused = HTTPStatus.FORBIDDEN if method == "POST" and path in FORMS else HTTPStatus.METHOD_NOT_ALLOWED
            for headers in ({}, {"Origin": origin.rstrip("/"), "Sec-Fetch-Site": "same-origin"}):
                async with worker.request(method, place, data=FORM, headers=headers, allow_redirects=False) as answer:
                    assert answer.status == refused, (method, place)
    assert citizen.execute(CHANGED).fetchone() == before
