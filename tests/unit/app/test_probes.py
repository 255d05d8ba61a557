"""What a worker answers to those who watch it."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from app.health import Health
from app.probes import mount_probes
from metrics.catalogue import READY
from metrics.exposition import CONTENT_TYPE, Exposition


class Status:
    """As far as health looks at it."""

    def __init__(self):
        self.broker_silence = 0.4
        self.stalls = self
        self.stuck = ()


class Coordinator:
    """One flow."""

    def __init__(self, name):
        self.services = self.flow = self
        self.name = name
        self.assigned_now = self.open = True


@pytest.fixture
def status():
    return Status()


@pytest.fixture
def flows():
    return [Coordinator("feedback"), Coordinator("ml_alerts")]


@pytest.fixture
def databases():
    return {"warehouse": None, "citizen": None}


@pytest.fixture
async def client(status, flows, databases):
    health = Health(status, flows, {name: lambda name=name: databases[name] for name in databases})
    application = web.Application()
    mount_probes(application, Exposition([health.samples]), health)
    async with TestClient(TestServer(application)) as client:
        yield client


async def answer(client, path):
    found = await client.get(path)
    return found.status, await found.text()


async def test_a_worker_that_has_all_it_needs_is_live_and_ready(client):
    assert await answer(client, "/livez") == (200, "live\n")
    assert await answer(client, "/readyz") == (200, "ready\n")
    checks = "[+] assigned\n[+] recovered\n[+] broker\n[+] pool warehouse\n[+] pool citizen\nready\n"
    assert await answer(client, "/readyz?verbose") == (200, checks)


async def test_what_fails_is_named(client, status, flows, databases):
    status.broker_silence = 12.2
    flows[1].open = False
    databases["citizen"] = "OperationalError"
    expected = "[-] recovered: not yet: ml_alerts\n[-] broker: silent for 12 s\n[-] pool citizen: OperationalError\nnot ready\n"
    assert await answer(client, "/readyz") == (503, expected)
    assert (await answer(client, "/livez"))[0] == 200, "a new start would not help"


async def test_before_the_first_assignment_it_is_not_ready(client, status, flows):
    status.broker_silence = None
    for flow in flows:
        flow.assigned_now = flow.open = False
    status_code, text = await answer(client, "/readyz")
    assert status_code == 503
    assert "[-] assigned: not yet: feedback, ml_alerts\n" in text
    assert "[-] broker: has not answered yet\n" in text


async def test_no_progress_while_the_log_grows_asks_for_a_new_start(client, status):
    status.stuck = ("feedback rows[3]",)
    assert await answer(client, "/livez") == (503, "no progress although the log grows: feedback rows[3]\n")


async def test_metrics_are_told_as_prometheus_reads_them(client, databases):
    databases["warehouse"] = "no answer yet"
    found = await client.get("/metrics")
    assert found.headers["Content-Type"] == CONTENT_TYPE
    assert f"\n{READY.name} 0.0\n" in await found.text()
