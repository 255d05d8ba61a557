"""What the demo's services post: right by the intake's own rules, signed anew with each attempt, through outages."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event

import httpx
import pytest
from standardwebhooks import Webhook

from demo.callbacks.bodies import Bodies
from demo.callbacks.poster import Poster, Refused
from demo.callbacks.senders import intake
from demo.pace import Pace
from demo.population import Population
from flows.callback_registry import callback_named
from schemas.callback_body import BodyReader
from settings import ConfigurationError
from stack.stack_env import SENDERS
from tests.support.callbacks import key_of

BEGIN = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class Clock:
    """Every look is a second later."""

    def __init__(self):
        self.now = BEGIN

    def __call__(self):
        self.now += timedelta(seconds=1)
        return self.now


def posts(count, seed=1):
    bodies = Bodies(Population(1, 50), seed, Clock())
    return [bodies.next() for _ in range(count)]


@pytest.fixture
def world():
    """A stand-in for the intake that answers with ``answers`` (then 202) and keeps the requests; a poster; what was said."""

    class World:
        answers, requests, said, stop = [], [], [], Event()

        def handle(self, request):
            self.requests.append(request)
            answer = self.answers.pop(0) if self.answers else 202
            if isinstance(answer, Exception):
                raise answer
            return httpx.Response(answer, text="the answer")

    made = World()
    made.stop.wait = lambda _: made.stop.is_set()
    client = httpx.Client(base_url="http://intake.example", transport=httpx.MockTransport(made.handle))
    made.poster = Poster(client, {name: key_of(name) for name in SENDERS}, Clock(), made.said.append, made.stop)
    with client:
        yield made


def run(world, messages):
    drawn = iter(posts(messages))
    return world.poster.run(lambda: next(drawn), Pace(0, lambda: 0.0, lambda _: None), messages)


def test_every_body_is_one_that_the_intake_accepts_from_a_sender_that_may_post_it():
    for post in posts(400):
        row = BodyReader(callback_named(post.route)).read(post.body.encode())
        assert post.route in SENDERS[post.sender]
        assert row.get("source", post.sender).lower() == post.sender


def test_some_messages_are_corrections_some_are_late_and_some_come_again():
    made = posts(600)
    assert {post.route for post in made} == {"forecasts", "alerts"}
    again = [number for number in Counter(post.webhook_id for post in made).values() if number > 1]
    assert again
    times, late = {}, 0
    for post in made:
        body = json.loads(post.body)
        key, time = body.get("forecast_id") or body["alert_id"], body.get("generated_at") or body["created_at"]
        late += time < times.get(key, "")
        times[key] = max(time, times.get(key, ""))
    assert late > 0
    assert len(times) < len({post.webhook_id for post in made}) < len(made)


def test_what_is_drawn_again_at_another_time_is_something_else():
    later = Bodies(Population(1, 50), 1, lambda: BEGIN + timedelta(days=1))
    ids = {post.webhook_id for post in posts(50)}
    assert ids.isdisjoint(later.next().webhook_id for _ in range(50))


def test_what_is_accepted_is_signed_and_counted_by_route(world):
    done = run(world, 20)
    assert done.total() == 20 == len(world.requests)
    for request in world.requests:
        head, signed_at = request.headers, datetime.fromtimestamp(int(request.headers["webhook-timestamp"]), UTC)
        signature = Webhook(key_of(head["webhook-sender"])).sign(head["webhook-id"], signed_at, request.content.decode())
        assert head["webhook-signature"] == signature
    assert Counter(request.url.path.rsplit("/", 1)[1] for request in world.requests) == done


def test_an_outage_is_told_once_and_outlived_with_the_same_message_signed_anew(world):
    world.answers = [httpx.ConnectError("no"), 503, 429]
    assert run(world, 1).total() == 1
    assert [line.split(":")[0] for line in world.said] == [
        "the intake does not accept messages, trying until it does",
        "the intake accepts messages again",
    ]
    assert len({request.headers["webhook-id"] for request in world.requests}) == 1
    assert len({request.headers["webhook-signature"] for request in world.requests}) == 4


def test_what_sending_again_does_not_mend_ends_it_with_the_answer(world):
    world.answers = [401]
    with pytest.raises(Refused, match=r"refused a message of .*: 401 the answer"):
        run(world, 1)


def test_asked_to_stop_it_leaves_a_message_that_nobody_takes(world):
    world.answers = [503] * 3
    world.stop.set()
    assert run(world, 5).total() == 0


def test_without_senders_it_says_what_is_missing(minimal):
    minimal(SYNC_CALLBACKS__PORT="1234", SYNC_CALLBACKS__RATE="7")
    with pytest.raises(ConfigurationError, match="SYNC_CALLBACKS__SENDERS is not set"):
        intake()


def test_address_and_keys_come_from_the_intakes_own_settings(minimal):
    senders = {"a": {"keys": ["whsec_new", "whsec_old"], "routes": ["alerts"]}}
    minimal(SYNC_CALLBACKS__PORT="1234", SYNC_CALLBACKS__SENDERS=json.dumps(senders))
    assert intake() == ("http://127.0.0.1:1234", {"a": "whsec_new"})
