"""The committed OpenAPI document is the one that is served, and it says what the definitions say."""

import json

import pytest

from callbacks.document import page
from callbacks.problems import Problem
from flows.callback_registry import CALLBACKS
from schemas.callback_body import BodyReader
from stack.folder import PROJECT_ROOT

COMMITTED = PROJECT_ROOT / "docs" / "callbacks.openapi.json"


@pytest.fixture(scope="module")
def document():
    return json.loads(COMMITTED.read_text())


async def test_the_document_is_up_to_date_and_served(client, document):
    assert COMMITTED.read_text() == page(), "run `python -m callbacks.document > docs/callbacks.openapi.json`"
    assert (await client.get("/openapi.json")).json() == document


def test_it_is_openapi_3_1_and_has_every_route(document):
    assert document["openapi"].startswith("3.1.")
    assert document["paths"].keys() == {*(callback.path for callback in CALLBACKS), "/livez", "/readyz"}


def test_every_problem_is_told(document):
    for callback in CALLBACKS:
        answers = document["paths"][callback.path]["post"]["responses"]
        told = "".join(answer["description"] for answer in answers.values())
        assert [problem for problem in Problem if problem.type not in told] == [Problem.NOT_FOUND, Problem.METHOD_NOT_ALLOWED]
        assert {status for status, answer in answers.items() if "Retry-After" in answer.get("headers", {})} == {"429", "503"}


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.route)
def test_the_example_is_a_good_body(document, callback):
    content = document["paths"][callback.path]["post"]["requestBody"]["content"]
    example = content["application/json"]["example"]
    assert BodyReader(callback).read(json.dumps(example).encode()).keys() == example.keys()
