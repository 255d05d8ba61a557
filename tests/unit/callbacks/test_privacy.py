"""What a sender writes is nobody's business but the topic's: no part of a request comes back in a log or in an answer."""

import json
import logging

import pytest

from flows.callback_registry import CALLBACKS
from flows.ml_alerts import ALERT_CALLBACK
from tests.support.callbacks import ROTATING, STRANGER, Sender, body_of

CANARY = "Canary4711"


@pytest.fixture
def everything_logged(caplog):
    """Every logger at its finest."""
    caplog.set_level(logging.DEBUG)
    for name in ("callbacks", "uvicorn", "asyncio", "fastapi", "starlette"):
        caplog.set_level(logging.DEBUG, name)
    return caplog


def poisoned(callback):
    """Bodies with the canary in every place, right and wrong ones."""
    good = json.loads(body_of(callback))
    texts = [field.name for field in callback.fields if field.column.sql_type.base in ("text", "varchar")]
    yield json.dumps(good | dict.fromkeys(texts, CANARY))
    for field in callback.fields:
        for value in (CANARY, {CANARY: CANARY}, [CANARY]):
            yield json.dumps(good | {field.name: value})
    yield json.dumps(good | {CANARY: 1})
    yield json.dumps([CANARY])
    yield f'{{"{CANARY}": {CANARY}}}'
    yield f'{{"{CANARY}": "' + CANARY
    yield "[" * 100 + f'"{CANARY}"' + "]" * 100
    yield f'{{"a": "{CANARY}\\u0000"}}'


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.route)
async def test_no_value_of_a_body_is_logged_or_answered(post, publisher, callback, everything_logged):
    failures = (None, RuntimeError(CANARY), OSError(CANARY))
    for body in poisoned(callback):
        for publisher.failure in failures:
            assert CANARY not in (await post(body, sender=Sender(ROTATING), callback=callback)).text
        assert CANARY not in (await post(body, sender=Sender(STRANGER), callback=callback)).text
    assert "/callbacks/" in everything_logged.text
    assert CANARY not in everything_logged.text


async def test_no_address_header_or_unproven_name_is_logged_or_answered(client, everything_logged):
    body = body_of(ALERT_CALLBACK)
    headers = Sender().headers(body)
    answers = [await client.request(CANARY, f"/{CANARY}?{CANARY}={CANARY}", headers={CANARY: CANARY})]
    for name in headers:
        changed = headers | {name: CANARY}
        answers.append(await client.post(f"{ALERT_CALLBACK.path}?{CANARY}", content=body, headers=changed))
    assert {answer.status_code for answer in answers} == {401, 404, 415}
    assert CANARY not in "".join(answer.text for answer in answers)
    logged = [record for record in everything_logged.records if not record.name.startswith("httpx")]  # the test's own client
    assert logged
    assert CANARY not in "".join(record.getMessage() for record in logged)
