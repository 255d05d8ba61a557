"""The intake as a process before the real broker: what is answered 202 is in the topic, whatever dies."""

import asyncio
import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from callbacks.settings import SenderSettings
from cli.topics import ensure_topics
from flows.benefit_forecasts import FORECAST_CALLBACK
from flows.callback_registry import CALLBACKS
from flows.ml_alerts import ALERT_CALLBACK
from schemas.avro import codec
from schemas.avro_schema import schema_name
from schemas.callback_body import BodyReader
from schemas.message_key import partition_of
from schemas.topics import callback_topics
from stack.folder import PROJECT_ROOT
from tests.support.callbacks import Sender, body_of
from tests.support.commands import run_command
from tests.support.waiting import eventually

START, ANSWER = 30.0, 15.0
CANARY = "Canary4711"


class Intake:
    """One process after the other at one address; all write to one log."""

    def __init__(self, environment, log):
        self._environment = dict(environment)
        self._log = log
        self._process = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{environment['SYNC_CALLBACKS__PORT']}", timeout=ANSWER)
        senders = SenderSettings(_env_file=environment["SYNC_ENV_FILE"]).callbacks.senders
        self._keys = {name: sender.keys[0].get_secret_value() for name, sender in senders.items()}

    @property
    def log(self):
        return self._log.read_text()

    def start(self):
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "callbacks"], cwd=PROJECT_ROOT, env=self._environment, stdout=log, stderr=log
            )
        eventually(self.ready, "the intake is ready", within=START)

    def stop(self, number=signal.SIGKILL):
        self._process.send_signal(number)
        return self._process.wait(START)

    def ready(self):
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def post(self, callback, body, webhook_id=None):
        name = "forecast-service" if callback is FORECAST_CALLBACK else "ai-platform-07"
        headers = Sender(name, self._keys[name]).headers(body, webhook_id)
        return self.client.post(callback.path, content=body.encode(), headers=headers)


@pytest.fixture(scope="module")
def intake(stack, environment, settings, tmp_path_factory):
    asyncio.run(ensure_topics(settings.kafka, callback_topics(CALLBACKS)))
    intake = Intake(environment | {"SYNC_CALLBACKS__KAFKA_TIMEOUT": "2"}, tmp_path_factory.mktemp("intake") / "log")
    intake.start()
    yield intake
    intake.stop()
    intake.client.close()


@pytest.fixture
def records(settings):
    """All records of a callback's topic that carry one of these ids."""
    return lambda callback, *ids: [
        record
        for record in asyncio.run(everything(settings.kafka, callback))
        if dict(record.headers)["webhook-id"].decode() in ids
    ]


async def everything(kafka, callback):
    consumer = AIOKafkaConsumer(**kafka.client_options(), enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(callback.topic, number) for number in range(callback.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends, found = await consumer.end_offsets(partitions), []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for fetched in (await consumer.getmany(timeout_ms=200)).values():
                found += fetched
        return found
    finally:
        await consumer.stop()


@contextmanager
def outage(stack):
    """The broker is dead inside the block, and answers again after it."""
    stack.kafka.kill()
    try:
        yield
    finally:
        stack.kafka.start()
        stack.kafka.wait_ready()


@pytest.mark.parametrize("callback", CALLBACKS, ids=lambda callback: callback.route)
def test_what_is_accepted_is_in_the_topic(intake, records, callback):
    body = body_of(callback)
    answer = intake.post(callback, body)
    assert answer.status_code == 202, answer.text
    (record,) = records(callback, answer.json()["accepted"])
    row = codec(schema_name(callback)).decode(record.value)
    assert row == BodyReader(callback).read(body.encode())
    assert record.key == json.dumps({callback.key: str(row[callback.key])}, separators=(",", ":")).encode()
    assert record.partition == partition_of(record.key, callback.partitions)


def test_the_command_for_developers_sends_one(intake, environment, records, tmp_path):
    file = tmp_path / "body.json"
    file.write_text(body_of(ALERT_CALLBACK))
    arguments = ("--route", "alerts", "--sender", "ai-platform-14", "--file", str(file))
    sent = run_command(environment, "callbacks", "send", *arguments)
    (record,) = records(ALERT_CALLBACK, sent["webhook_id"])
    assert dict(record.headers)["webhook-sender"] == b"ai-platform-14"


def test_a_message_sent_again_after_a_kill_is_the_same_record(intake, records):
    body = body_of(FORECAST_CALLBACK)
    first = intake.post(FORECAST_CALLBACK, body, "msg_again")
    assert intake.stop() == -signal.SIGKILL
    intake.start()
    again = intake.post(FORECAST_CALLBACK, body, "msg_again")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    one, other = records(FORECAST_CALLBACK, "msg_again")
    assert (one.key, one.value, one.partition) == (other.key, other.value, other.partition)


def test_asked_to_stop_it_ends_and_can_be_started_again(intake):
    assert intake.stop(signal.SIGTERM) == -signal.SIGTERM
    intake.start()


def test_an_outage_of_the_broker_is_answered_in_time_and_outlived(intake, stack, records):
    body = body_of(ALERT_CALLBACK)
    assert intake.post(ALERT_CALLBACK, body, "msg_before").status_code == 202
    with outage(stack):
        for _ in range(3):
            away = intake.post(ALERT_CALLBACK, body, "msg_away")
            assert (away.status_code, away.headers["content-type"]) == (503, "application/problem+json")
            assert int(away.headers["retry-after"]) >= 1
        assert not intake.ready()
        assert intake.client.get("/livez").status_code == 200
    eventually(intake.ready, "the intake is ready again", within=START)
    sent_again = partial(intake.post, ALERT_CALLBACK, body, "msg_away")
    eventually(lambda: sent_again().status_code == 202, "what is sent again is accepted", within=START)
    assert {dict(record.headers)["webhook-id"] for record in records(ALERT_CALLBACK, "msg_before", "msg_away")} == {
        b"msg_before",
        b"msg_away",
    }


def test_nothing_of_a_body_is_in_the_log(intake):
    for changes in ({"message": CANARY}, {"severity": CANARY}, {CANARY: CANARY}):
        intake.post(ALERT_CALLBACK, body_of(ALERT_CALLBACK, **changes))
    assert "202 /callbacks/alerts sender=ai-platform-07" in intake.log
    assert "422 /callbacks/alerts sender=ai-platform-07" in intake.log
    assert CANARY not in intake.log
    assert "whsec_" not in intake.log
