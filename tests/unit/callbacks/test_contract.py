"""The application keeps what its OpenAPI document says, over bodies and headers that schemathesis makes of the document."""

import json
from datetime import datetime

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from starlette.datastructures import Headers

from callbacks.document import page
from callbacks.site import create_application
from tests.support.callbacks import ROTATING, FakePublisher, Sender, settings

EXAMPLES = hypothesis.settings(max_examples=40, deadline=None)
UNHURRIED = {"rate": 1_000_000, "burst": 1_000_000}


class Signing:
    """Signs every request that comes, over the bytes that come."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "POST":
            body, receive = await whole(receive)
            given = {name: value for name, value in Headers(scope=scope).items() if not name.startswith("webhook-")}
            signed = Sender(ROTATING).headers(body.decode(errors="replace")) | given
            scope = scope | {"headers": [(name.encode(), value.encode("latin-1")) for name, value in signed.items()]}
        await self._app(scope, receive, send)


async def whole(receive):
    """The body, and what gives it out again."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)

    async def again():
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


@pytest.fixture(scope="module", autouse=True)
def _times_of_the_past():
    """A document cannot say that a time must not lie ahead."""
    past = st.datetimes(datetime(1, 1, 2), datetime(2026, 1, 1))  # noqa: DTZ001 hypothesis wants them without zone
    schemathesis.openapi.format("date-time", past.map(lambda time: f"{time.isoformat()}Z"))


# U+0000 is in JSON, and not in PostgreSQL; a document cannot say that either.
GENERATION = {"allow-x00": False, "database": "none", "deterministic": True}


def schema_of(document, app, **checks):
    config = schemathesis.Config.from_dict({"generation": GENERATION, "checks": checks})
    schema = schemathesis.openapi.from_dict(document, config=config)
    schema.app = app
    return schema


def without_headers():
    """The document of routes that need no signature: every request is signed on its way."""
    document = json.loads(page())
    for path in document["paths"].values():
        path.get("post", {}).pop("parameters", None)
    return document


application = create_application(settings(**UNHURRIED), FakePublisher())
bodies = schema_of(without_headers(), Signing(application))
# Its headers are made up, and nobody can guess a signature: good data need not be accepted.
requests = schema_of(json.loads(page()), application, positive_data_acceptance={"enabled": False})


@bodies.parametrize()
@EXAMPLES
def test_good_bodies_are_accepted_and_bad_ones_refused_as_the_document_says(case):
    response = case.call_and_validate()
    if case.method == "POST":
        assert (response.status_code == 202) == (case.meta.generation.mode is GenerationMode.POSITIVE), response.text


@requests.include(method="POST").parametrize()
@EXAMPLES
def test_nothing_unsigned_is_accepted_and_every_answer_is_in_the_document(case):
    response = case.call_and_validate()
    assert 400 <= response.status_code < 500
