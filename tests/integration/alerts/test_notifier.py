"""The notifier on a real database, with a receiver that checks signatures as a stranger would."""

from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from aiohttp import web
from pydantic import SecretStr
from standardwebhooks import Webhook

from alerts.notifier import LEASE_ROUNDS, Notifier
from alerts.registry import ALERTS
from app.kept_connection import KeptConnection
from callbacks.settings import new_signing_key
from cli.migrate import migrate_databases
from metrics import catalogue
from metrics.samples import Samples
from settings import Notifier as NotifierSettings
from sinks.json_text import json_text

KEY = new_signing_key()


class Receiver:
    """Keeps the messages whose signature is right; answers ``status``."""

    def __init__(self):
        self.status = 204
        self.got = []
        self.ids = []

    async def take(self, request):
        body = await request.text()
        self.got.append(Webhook(KEY).verify(body, dict(request.headers)))
        self.ids.append(request.headers["webhook-id"])
        return web.Response(status=self.status)

    @property
    def told(self):
        return [(message["type"], message["alert"], message["labels"]) for message in self.got]


@pytest.fixture
async def receiver():
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/alerts", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/alerts"
    yield receiver
    await runner.cleanup()


class World:
    """What every worker can see."""

    def __init__(self):
        self.stopped = False

    def look(self):
        samples = Samples()
        samples.one_hot(catalogue.FLOW_STATE, ("running", "stopped"), "stopped" if self.stopped else "running", "feed")
        samples.set(catalogue.COLLECTOR_UP, 1, "citizen")
        return samples


@pytest.fixture
def world():
    return World()


@pytest.fixture
def database(warehouse, citizen, fresh_databases):
    """The citizen database as the administrator sees it, migrated."""
    migrate_databases(fresh_databases)
    return citizen


@asynccontextmanager
async def worker(name, settings, receiver, world):
    """A worker's notifier; leaving kills it."""
    wanted = NotifierSettings(url=receiver.url, key=SecretStr(KEY))
    connection = KeptConnection(settings.citizen)
    async with httpx.AsyncClient(timeout=wanted.timeout) as client:
        yield Notifier(wanted, ALERTS, name, connection.ask, [world.look], client)
    connection.close()


def expire_lease(database):
    database.execute("UPDATE sync.notifier SET lease_until = now() - interval '1 second'")


STOPPED = ("alert.firing", "SyncFlowStopped", {"flow": "feed"})
RESOLVED = ("alert.resolved", "SyncFlowStopped", {"flow": "feed"})


async def test_people_are_told_once_and_when_it_is_over(database, fresh_databases, receiver, world):
    async with worker("a", fresh_databases, receiver, world) as notifier:
        await notifier.round()
        assert receiver.told == []
        world.stopped = True
        await notifier.round()
        await notifier.round()
        assert receiver.told == [STOPPED]
        world.stopped = False
        await notifier.round()
        await notifier.round()
    assert receiver.told == [STOPPED, RESOLVED]
    assert receiver.got[0]["summary"].startswith("Flow feed has stopped itself")
    assert receiver.got[0]["runbook"] == "docs/operations.md#syncflowstopped"
    assert database.execute("SELECT count(*) FROM sync.alert").fetchone() == (0,)


async def test_a_restart_repeats_nothing_and_still_tells_the_end(database, fresh_databases, receiver, world):
    world.stopped = True
    async with worker("a", fresh_databases, receiver, world) as notifier:
        await notifier.round()
    async with worker("a", fresh_databases, receiver, world) as notifier:
        await notifier.round()
        assert receiver.told == [STOPPED]
        world.stopped = False
        await notifier.round()
    assert receiver.told == [STOPPED, RESOLVED]


async def test_one_worker_tells_and_another_takes_over_when_it_is_silent(database, fresh_databases, receiver, world):
    async with (
        worker("a", fresh_databases, receiver, world) as first,
        worker("b", fresh_databases, receiver, world) as second,
    ):
        await first.round()
        world.stopped = True
        await second.round()
        assert receiver.told == []
        expire_lease(database)
        await second.round()
        assert receiver.told == [STOPPED]
        await first.round()
    assert receiver.told == [STOPPED]
    assert database.execute("SELECT owner FROM sync.notifier").fetchone() == ("b",)


async def test_a_message_that_is_refused_is_sent_again_under_the_same_id(database, fresh_databases, receiver, world):
    world.stopped, receiver.status = True, 503
    async with worker("a", fresh_databases, receiver, world) as notifier:
        await notifier.round()
        receiver.status = 204
        await notifier.round()
        await notifier.round()
    assert receiver.told == [STOPPED, STOPPED]
    assert len(set(receiver.ids)) == 1


async def test_what_goes_on_is_told_again_after_hours(database, fresh_databases, receiver, world):
    world.stopped = True
    async with worker("a", fresh_databases, receiver, world) as notifier:
        await notifier.round()
        database.execute("UPDATE sync.alert SET told_at = told_at - interval '4 hours'")
        await notifier.round()
    assert [message["telling"] for message in receiver.got] == [1, 2]
    assert len(set(receiver.ids)) == 2


async def test_the_lag_of_another_workers_partition_is_seen(database, fresh_databases, receiver, world):
    late = [{"flow": "feed", "topic": "t", "partition": 3, "lag_seconds": 301.0}]
    database.execute(
        "INSERT INTO sync.worker (name, started_at, seen_at, state) VALUES ('other', now(), now() + interval '1 minute', %s)",
        (json_text({"partitions": late}),),
    )
    async with worker("a", fresh_databases, receiver, world) as notifier:
        await notifier.round()
        database.execute("UPDATE sync.alert SET since = since - %s", (timedelta(minutes=1),))
        await notifier.round()
    assert {name for _, name, _ in receiver.told} == {"SyncLag", "SyncLagCritical"}


def test_the_lease_outlives_a_receiver_that_does_not_answer():
    settings = NotifierSettings()
    assert settings.interval * LEASE_ROUNDS > settings.interval + settings.timeout
