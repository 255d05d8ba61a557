"""Every way in which a request can be right or wrong, over the application itself."""

import asyncio
import hashlib
import hmac
import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from callbacks.json_limits import MAX_DEPTH
from callbacks.problems import TYPE_PREFIX
from flows.benefit_forecasts import FORECAST_CALLBACK
from flows.callback_registry import CALLBACKS
from flows.ml_alerts import ALERT_CALLBACK
from schemas.avro import codec
from schemas.avro_schema import schema_name
from schemas.message_key import partition_of
from tests.support.callbacks import FORECASTER, PLATFORM, ROTATING, STRANGER, Sender, body_of, key_of

LIMIT = 4096
MINUTE = timedelta(minutes=1)


def problem(answer, status, name):
    """The document of a problem that must be this one."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document = answer.json()
    assert (document["type"], document["status"]) == (TYPE_PREFIX + name, status)
    assert document["title"]
    assert document["detail"]
    return document


def accepted(answer):
    assert answer.status_code == 202, answer.text
    return answer.json()["accepted"]


def decoded(record, callback=ALERT_CALLBACK):
    return codec(schema_name(callback)).decode(record.value)


async def test_a_signed_message_is_a_record_before_it_is_answered(post, publisher):
    before = datetime.now(UTC)
    body = body_of(FORECAST_CALLBACK, total_annual_value="0.10", projections={"a": [1.10, 12345678901234567890]})
    answer = await post(body, sender=Sender(FORECASTER), callback=FORECAST_CALLBACK)
    (record,) = publisher.records
    row, headers = decoded(record, FORECAST_CALLBACK), dict(record.headers)
    identity = json.loads(body)["forecast_id"]
    assert record.topic == "sync.benefit_forecasts.callbacks"
    assert record.key == b'{"forecast_id":"%s"}' % identity.encode()
    assert record.partition == partition_of(record.key, 10)
    assert (row["forecast_id"], row["total_annual_value"]) == (UUID(identity), Decimal("0.10"))
    assert row["projections"] == '{"a": [1.1, 12345678901234567890]}'
    assert (headers["webhook-id"].decode(), headers["webhook-sender"]) == (accepted(answer), b"forecast-service")
    assert before <= datetime.fromtimestamp(int(headers["sync-received-at"]) / 1e6, UTC) <= datetime.now(UTC)


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.route)
async def test_fields_that_may_be_left_out_may_also_be_null(post, publisher, callback):
    optional = {field.name: None for field in callback.fields if not field.column.required}
    body = json.loads(body_of(callback, **optional))
    for given in (body, {name: value for name, value in body.items() if name not in optional}):
        accepted(await post(json.dumps(given), sender=Sender(ROTATING), callback=callback))
    first, second = (decoded(record, callback) for record in publisher.records)
    assert first == second
    assert [first[name] for name in optional] == [None] * len(optional)


async def test_a_repeated_message_is_answered_as_before_and_is_the_same_record(post, publisher):
    body, sender = body_of(ALERT_CALLBACK), Sender()
    first, again = [await post(body, sender=sender, **sender.headers(body, "msg_same")) for _ in range(2)]
    assert (first.status_code, first.content) == (again.status_code, again.content) == (202, b'{"accepted":"msg_same"}')
    one, other = publisher.records
    assert (one.key, one.partition, one.value) == (other.key, other.partition, other.value)
    assert dict(one.headers)["webhook-id"] == dict(other.headers)["webhook-id"] == b"msg_same"


# -- signatures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    [
        Sender(PLATFORM, key_of("forger")),
        Sender(PLATFORM, key_of(FORECASTER)),
        Sender(ROTATING, key_of(ROTATING, 3)),
        Sender(STRANGER, key_of(PLATFORM)),
        Sender(STRANGER, key_of(STRANGER)),
    ],
    ids=["forged", "another sender's key", "a key that is no more", "unknown sender, known key", "unknown sender"],
)
async def test_whoever_has_none_of_the_senders_keys_gets_one_and_the_same_answer(post, publisher, sender):
    answer = await post(body_of(ALERT_CALLBACK), sender=sender)
    document = problem(answer, 401, "bad-signature")
    assert document == problem(await post(body_of(ALERT_CALLBACK), signed="{}"), 401, "bad-signature")
    assert answer.headers["www-authenticate"] == "Standard-Webhooks"
    assert publisher.records == []


async def test_a_changed_body_id_or_time_breaks_the_signature(post, publisher):
    body, sender = body_of(ALERT_CALLBACK), Sender()
    now = int(datetime.now(UTC).timestamp())
    for changed in ({"webhook_id": "msg_other"}, {"webhook_timestamp": str(now - 7)}):
        problem(await post(body, sender=sender, **changed), 401, "bad-signature")
    problem(await post(body + " ", sender=sender, signed=body), 401, "bad-signature")
    problem(await post(body[:-9], sender=sender, signed=body), 401, "bad-signature")
    assert publisher.records == []


@pytest.mark.parametrize("number", [1, 2])
async def test_both_keys_of_a_sender_are_live_while_it_changes_them(post, number):
    accepted(await post(body_of(ALERT_CALLBACK), sender=Sender(ROTATING, key_of(ROTATING, number))))


async def test_one_right_signature_among_several_is_enough(post):
    body = body_of(ALERT_CALLBACK)
    old, new = (Sender(PLATFORM, key).headers(body, "msg_1")["webhook-signature"] for key in (key_of("gone"), key_of(PLATFORM)))
    accepted(await post(body, webhook_id="msg_1", webhook_signature=f"{old} {new}"))


@pytest.mark.parametrize("late", [6 * MINUTE, -6 * MINUTE], ids=["stale", "future"])
async def test_a_signature_of_another_time_is_refused(post, publisher, late):
    body, sender = body_of(ALERT_CALLBACK), Sender()
    problem(await post(body, **sender.headers(body, late=late)), 401, "stale")
    assert publisher.records == []


@pytest.mark.parametrize("late", [4.9 * MINUTE, -4.9 * MINUTE])
async def test_a_signature_within_five_minutes_is_right(post, late):
    body, sender = body_of(ALERT_CALLBACK), Sender()
    accepted(await post(body, **sender.headers(body, late=late)))


NAMES = ("webhook_sender", "webhook_id", "webhook_timestamp", "webhook_signature")
ODD = [(name, value) for name in NAMES for value in (None, "", " ", "a b", "٣", "x" * 2000)]
ODD += [("webhook_id", "msg.1"), ("webhook_timestamp", "1e9"), ("webhook_timestamp", "-5")]


@pytest.mark.parametrize(("name", "value"), ODD)
async def test_a_header_that_is_missing_or_odd_is_no_signature(post, publisher, name, value):
    answer = await post(body_of(ALERT_CALLBACK), **{name: value if value is None else value.encode()})
    assert name.replace("_", "-") in problem(answer, 401, "unsigned")["detail"]
    assert publisher.records == []


@pytest.mark.parametrize("signature", ["v1,", "v1,!!!", "v2,AAAA", "v1,AAAA", "v1a,AAAA", "v1,AAAA v1,A"])
async def test_a_signature_that_is_none_is_refused(post, signature):
    answer = await post(body_of(ALERT_CALLBACK), webhook_signature=signature)
    assert (answer.status_code, answer.json()["type"].removeprefix(TYPE_PREFIX)) in {(401, "unsigned"), (401, "bad-signature")}


async def test_bytes_that_are_no_utf8_are_refused_although_their_hmac_is_right(client, publisher):
    body, sender = b'{"message": "\xff"}', Sender()
    headers = sender.headers("{}")
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    key = b64decode(key_of(PLATFORM).removeprefix("whsec_"))
    headers["webhook-signature"] = "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    problem(await client.post(ALERT_CALLBACK.path, content=body, headers=headers), 401, "bad-signature")
    assert publisher.records == []


@pytest.mark.parametrize("sender", [FORECASTER, PLATFORM])
async def test_a_sender_may_use_its_own_routes_only(post, publisher, sender):
    (foreign,) = [callback for callback in CALLBACKS if (callback is ALERT_CALLBACK) == (sender == FORECASTER)]
    problem(await post(body_of(foreign), sender=Sender(sender), callback=foreign), 403, "route-not-allowed")
    assert publisher.records == []


# -- headers and size -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["webhook-sender", "webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-encoding"]
)
async def test_a_header_that_decides_may_stand_only_once(client, publisher, name):
    body = body_of(ALERT_CALLBACK)
    headers = [*Sender().headers(body).items()]
    twice = [*headers, (name, dict(headers).get(name, "identity")), *([(name, "identity")] if name not in dict(headers) else [])]
    assert name in problem(await client.post(ALERT_CALLBACK.path, content=body, headers=twice), 400, "duplicate-header")["detail"]
    assert publisher.records == []


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "application/JSON", "text/json", "text/plain", "", None])
async def test_only_plain_json_is_taken(post, publisher, media):
    problem(await post(body_of(ALERT_CALLBACK), content_type=media), 415, "unsupported-media")
    assert publisher.records == []


@pytest.mark.parametrize("coding", ["gzip", "br", "identity", ""])
async def test_no_coded_body_is_taken(post, publisher, coding):
    answer = await post(body_of(ALERT_CALLBACK), content_encoding=coding)
    problem(answer, 415, "unsupported-media")
    assert answer.headers["accept-encoding"] == "identity"
    assert publisher.records == []


def sized(size):
    short = body_of(ALERT_CALLBACK, message="")
    return body_of(ALERT_CALLBACK, message="x" * (size - len(short)))


async def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_not(serving, publisher):
    async with serving(max_body_bytes=LIMIT) as client:
        for size in (LIMIT, LIMIT + 1):
            body = sized(size)
            answer = await client.post(ALERT_CALLBACK.path, content=body, headers=Sender().headers(body))
            if size == LIMIT:
                accepted(answer)
            else:
                assert str(LIMIT) in problem(answer, 413, "too-large")["detail"]
    assert len(publisher.records) == 1


async def test_a_body_that_announces_no_size_is_read_no_further_than_the_limit(serving, publisher):
    sent = []

    async def endless():
        while True:
            sent.append(1024)
            yield b"x" * 1024

    async with serving(max_body_bytes=LIMIT) as client:
        answer = await client.post(ALERT_CALLBACK.path, content=endless(), headers=Sender().headers("{}"))
    problem(answer, 413, "too-large")
    assert sum(sent) <= LIMIT + 1024
    assert publisher.records == []


async def test_an_announced_size_over_the_limit_is_refused_before_anything_is_read(serving):
    async def untouched():
        raise AssertionError("the body was read")
        yield b""

    headers = Sender().headers("{}") | {"content-length": str(LIMIT + 1)}
    async with serving(max_body_bytes=LIMIT) as client:
        problem(await client.post(ALERT_CALLBACK.path, content=untouched(), headers=headers), 413, "too-large")


# -- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    ["", "{", '{"a": NaN}', '{"a": 1,}', "\ufeff{}", '{"a": "\x01"}', "[" * 50_000, '{"a":' * 50_000],
    ids=["empty", "truncated", "NaN", "comma", "byte order mark", "control character", "deep arrays", "deep objects"],
)
async def test_what_is_no_json_is_refused(post, publisher, body):
    problem(await post(body), 400, "malformed-body")
    assert publisher.records == []


def nested(levels):
    """A forecast whose body is nested that deep, the body itself counted."""
    return body_of(FORECAST_CALLBACK).replace(
        re.search(r'"projections": (\[.*?\])', body_of(FORECAST_CALLBACK))[1], "[" * (levels - 1) + "]" * (levels - 1)
    )


async def test_nesting_is_bounded(post):
    sender = Sender(FORECASTER)
    accepted(await post(nested(MAX_DEPTH), sender=sender, callback=FORECAST_CALLBACK))
    answer = await post(nested(MAX_DEPTH + 1), sender=sender, callback=FORECAST_CALLBACK)
    assert str(MAX_DEPTH) in problem(answer, 400, "malformed-body")["detail"]


@pytest.mark.parametrize("value", ["1e1000", "1E+09999", "-1e-1000", "1" * 65, "0." + "1" * 64, r'"\u0000"', r'"\\\u0000"'])
async def test_what_the_database_cannot_hold_is_refused(post, publisher, value):
    body = re.sub(r'"projections": \[.*?\]', lambda _: f'"projections": [{value}]', body_of(FORECAST_CALLBACK))
    problem(await post(body, sender=Sender(FORECASTER), callback=FORECAST_CALLBACK), 400, "malformed-body")
    assert publisher.records == []


@pytest.mark.parametrize("text", [r'"\ud800"', r'"\udc00\ud800"', r'{"\ud800": 1}'])
async def test_half_a_surrogate_pair_is_refused(post, publisher, text):
    body = re.sub(r'"projections": \[.*?\]', lambda _: f'"projections": [{text}]', body_of(FORECAST_CALLBACK))
    problem(await post(body, sender=Sender(FORECASTER), callback=FORECAST_CALLBACK), 400, "malformed-body")
    assert publisher.records == []


@pytest.mark.parametrize("value", ["1e300", "1" * 64, r'"\\u0000"', '"1e1000 is text"', '"[[[[{{{{"'])
async def test_what_only_looks_dangerous_is_taken_as_it_is(post, publisher, value):
    body = re.sub(r'"projections": \[.*?\]', lambda _: f'"projections": [{value}]', body_of(FORECAST_CALLBACK))
    accepted(await post(body, sender=Sender(FORECASTER), callback=FORECAST_CALLBACK))
    assert decoded(publisher.records[0], FORECAST_CALLBACK)["projections"] == f"[{value}]"


async def test_all_that_is_wrong_with_a_body_is_told_at_once(post, publisher):
    wrong = {"severity": "URGENT", "source": "AI-PLATFORM-08", "alert_type": "x" * 51, "citizen_id": "7", "extra": 1}
    wrong |= {"expires_at": "2026-11-24T08:44:26", "action_url": "javascript:alert(1)", "message": None}
    body = json.loads(body_of(ALERT_CALLBACK, **wrong))
    del body["family_id"]
    document = problem(await post(json.dumps(body)), 422, "invalid-body")
    told = {error["pointer"]: error["detail"] for error in document["errors"]}
    assert told.keys() == {
        *("#", "#/severity", "#/source", "#/alert_type", "#/citizen_id", "#/expires_at", "#/action_url", "#/message"),
        "#/family_id",
    }
    assert told["#/severity"] == "must be one of LOW, MEDIUM, HIGH, CRITICAL"
    assert told["#/family_id"].startswith("is missing")
    assert publisher.records == []


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null"])
async def test_a_body_that_is_no_object_is_refused(post, body):
    (error,) = problem(await post(body), 422, "invalid-body")["errors"]
    assert error == {"pointer": "#", "detail": "must be a JSON object"}


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.route)
async def test_what_was_made_in_the_future_is_refused(post, publisher, callback):
    for ahead, status in ((4.9 * MINUTE, 202), (5.1 * MINUTE, 422)):
        body = body_of(callback, **{callback.time: (datetime.now(UTC) + ahead).isoformat()})
        answer = await post(body, sender=Sender(ROTATING), callback=callback)
        assert answer.status_code == status
    (error,) = problem(answer, 422, "invalid-body")["errors"]
    assert error == {"pointer": f"#/{callback.time}", "detail": "is more than 5 minutes ahead of now"}
    assert len(publisher.records) == 1


# -- load and outages -------------------------------------------------------------------------------------------------


async def test_a_sender_that_posts_too_fast_is_told_when_to_come_back(serving, publisher):
    async with serving(rate=0.1, burst=3) as client:

        async def post(name, key=None):
            body = body_of(ALERT_CALLBACK)
            headers = Sender(name, key).headers(body)
            return await client.post(ALERT_CALLBACK.path, content=body, headers=headers)

        for _ in range(5):
            problem(await post(PLATFORM, key_of("forger")), 401, "bad-signature")
        for _ in range(3):
            accepted(await post(PLATFORM))
        refused = await post(PLATFORM)
        problem(refused, 429, "too-many-requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        accepted(await post(ROTATING))
    assert len(publisher.records) == 4


async def test_without_kafka_nothing_is_accepted_and_the_sender_told_to_come_back(post, publisher):
    publisher.away()
    answer = await post(body_of(ALERT_CALLBACK))
    problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_one_request_too_many_is_turned_away_and_its_place_is_free_afterwards(serving, publisher):
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(record):
        arrived.set()
        await go_on.wait()

    publisher.publish = slowly
    async with serving(max_requests=1) as client:

        async def post():
            body = body_of(ALERT_CALLBACK)
            return await client.post(ALERT_CALLBACK.path, content=body, headers=Sender().headers(body))

        first = asyncio.create_task(post())
        await arrived.wait()
        refused = await post()
        problem(refused, 503, "overloaded")
        assert int(refused.headers["retry-after"]) >= 1
        go_on.set()
        accepted(await first)
        accepted(await post())


async def test_a_defect_is_a_problem_too_and_its_message_stays_here(post, publisher, caplog):
    publisher.failure = RuntimeError("hunter2")
    answer = await post(body_of(ALERT_CALLBACK))
    problem(answer, 500, "internal")
    assert "RuntimeError" in caplog.text
    assert "publish" in caplog.text
    assert "hunter2" not in caplog.text + answer.text


# -- the rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/callbacks", "/callbacks/", "/callbacks/alerts/", "/docs", "/redoc", "/%2e%2e/x"])
async def test_an_unknown_address_is_a_problem(client, path):
    problem(await client.post(path), 404, "not-found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HUNTER2"])
async def test_another_method_is_a_problem(client, method):
    answer = await client.request(method, ALERT_CALLBACK.path)
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "POST"


async def test_health_tells_a_process_that_lives_from_one_that_can_work(client, publisher):
    assert (await client.get("/livez")).json() == {"status": "live"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}
    publisher.away()
    assert (await client.get("/livez")).status_code == 200
    assert problem(await client.get("/readyz"), 503, "unavailable")["detail"] == "no broker can be reached"


async def test_every_answer_forbids_to_keep_it(client, post):
    for answer in (await client.get("/livez"), await client.get("/x"), await post("{}"), await post(body_of(ALERT_CALLBACK))):
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
