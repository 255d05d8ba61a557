"""Each action from the browser to its effect in both real databases, and to its line in the audit."""

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition
from playwright.async_api import expect

from app.desk import OperatorsDesk
from cli.connectors import connector_names
from cli.migrate import migrate_databases
from cli.topics import ensure_topics
from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.registry import FLOWS
from schemas.topics import all_topics
from settings import Connect
from sinks.payload_cipher import PayloadCipher
from tests.unit.views.operating import ASHA, BINA, sessions
from views.site import mount, utc_now

WHY = "asked by the ministry"
AUDIT = """
    SELECT actor, role, origin, action, subject, reason, result, problem FROM sync.audit
    WHERE action NOT IN ('sign in', 'sign out') ORDER BY id
"""
LETTER = """
    INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail, record_key, record_value, headers)
    VALUES (%s, %s, 4, %s, 'out_of_range', 'the detail', %s, %s, %s) RETURNING id
"""

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def migrated(settings, warehouse, citizen):
    """Both databases after `migrate`; a session of the administrator with the citizen database."""
    migrate_databases(settings)
    return citizen


@pytest.fixture
def desk_settings(settings):
    return settings


@pytest.fixture
async def operating(world, desk_settings, migrated, browser):
    """Open the pages of a worker whose desk is the real one, signed in with a token."""
    desk = OperatorsDesk(desk_settings)
    application = web.Application()
    known = sessions(utc_now)
    mount(application, worker=world, cluster=world, records=world.records, desk=desk, sessions=known, flows=FLOWS)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"

    @asynccontextmanager
    async def opened(token=ASHA):
        context = await browser.new_context()
        context.set_default_timeout(20_000)
        page = await context.new_page()
        await page.goto(f"{address}/sign-in?next=/actions")
        await page.get_by_label("Your token").fill(token)
        await page.get_by_role("button", name="Sign in").click()
        yield Hand(page, address)
        await context.close()

    yield opened
    await runner.cleanup()
    desk.close()


class Hand:
    """Fills in forms."""

    def __init__(self, page, address):
        self.page, self.address = page, address

    async def do(self, action, **fields):
        """Order it, and return what the page says of it when it was done."""
        await self._send(action, fields)
        await expect(self.page).to_have_url(f"{self.address}/actions")
        return await self.page.get_by_role("status").inner_text()

    async def refused(self, action, **fields):
        """Order it, and return why it was not done."""
        await self._send(action, fields)
        return await self.page.get_by_role("alert").inner_text()

    async def _send(self, action, fields):
        await self.page.goto(f"{self.address}/actions/{action}")
        for name, value in fields.items():
            field = self.page.locator(f"#{name}")
            if value is True:
                await field.check()
            elif await field.evaluate("element => element.tagName") == "SELECT":
                await field.select_option(value)
            else:
                await field.fill(str(value))
        await self.page.get_by_label("Reason").fill(WHY)
        await self.page.get_by_label("Yes, do this now").check()
        await self.page.locator("main button").click()


def audited(connection):
    return connection.execute(AUDIT).fetchall()


def by_asha(action, subject, problem=None):
    return ("asha", "operator", "127.0.0.1", action, subject, WHY, "refused" if problem else "done", problem)


async def test_a_flow_is_paused_resumed_and_refused_when_that_makes_no_sense(operating, migrated):
    state = f"SELECT state, reason, changed_by, resync FROM sync.flow_state WHERE flow = '{FLOW.name}'"
    async with operating() as hand:
        assert await hand.do("pause-flow", flow=FLOW.name) == f"{FLOW.name} is paused."
        assert migrated.execute(state).fetchone() == ("paused", WHY, "asha", 0)
        assert await hand.do("resume-flow", flow=FLOW.name) == f"{FLOW.name} runs."
        assert migrated.execute(state).fetchone() == ("running", None, "asha", 0)
        migrated.execute("UPDATE sync.flow_state SET state = 'stopped', reason = 'truncate of a source'")
        why = await hand.refused("resume-flow", flow=FLOW.name)
        assert "its source was truncated" in why
        assert migrated.execute(state).fetchone() == ("stopped", "truncate of a source", "asha", 0)
    first, second, third = audited(migrated)
    assert (first, second) == (by_asha("pause", FLOW.name), by_asha("resume", FLOW.name))
    assert third == by_asha("resume", FLOW.name, third[-1])
    assert "was truncated" in third[-1]
    async with operating(BINA) as hand:
        await hand.do("accept-truncate", flow=FLOW.name)
        assert migrated.execute(state).fetchone() == ("running", None, "bina", 1)
    assert [line[:4] for line in audited(migrated)[3:]] == [
        ("bina", "admin", "127.0.0.1", "resume"),
        ("bina", "admin", "127.0.0.1", "resync"),
    ]


async def test_jobs_run_pause_go_on_and_end_and_maintenance_asks_for_force(operating, migrated, warehouse):
    runs = "SELECT job, state, forced, cancelled, requested_by FROM sync.job_run ORDER BY run_id"
    paused = "SELECT job, paused, reason, changed_by FROM sync.job_control WHERE changed_by = 'asha'"
    standing = "SELECT asked_by, reason FROM sync.maintenance WHERE ends_at > now()"
    async with operating() as hand:
        assert "goes on until" in await hand.do("start-maintenance", hours="2")
        assert migrated.execute(standing).fetchall() == warehouse.execute(standing).fetchall() == [("asha", WHY)]
        assert "starts all the same when forced" in await hand.refused("run-job", job="scheme_master")
        assert migrated.execute(runs).fetchall() == []
        assert "A run of scheme_master is asked for" in await hand.do("run-job", job="scheme_master", force=True)
        assert migrated.execute(runs).fetchall() == [("scheme_master", "scheduled", True, False, "asha")]
        assert "ends at its next chunk" in await hand.do("cancel-run", job="scheme_master")
        assert migrated.execute(runs).fetchall() == [("scheme_master", "scheduled", True, True, "asha")]
        assert await hand.do("stop-maintenance") == "Maintenance has ended."
        assert migrated.execute(standing).fetchall() == warehouse.execute(standing).fetchall() == []
        assert "no maintenance on demand" in await hand.refused("stop-maintenance")
        await hand.do("pause-job", job="scheme_master")
        assert migrated.execute(paused).fetchall() == [("scheme_master", True, WHY, "asha")]
        await hand.do("resume-job", job="scheme_master")
        assert migrated.execute(paused).fetchall() == [("scheme_master", False, WHY, "asha")]
        await hand.do("pause-job", job="*")
        assert warehouse.execute(paused).fetchall() == [("*", True, WHY, "asha")]
    lines = audited(migrated)
    assert [line[3] for line in lines] == [
        "start maintenance",
        "run job",
        "run job",
        "cancel run",
        "stop maintenance",
        "stop maintenance",
        "pause job",
        "resume job",
        "pause job",
    ]
    assert [line[6] for line in lines] == ["done", "refused", "done", "done", "done", "refused", "done", "done", "done"]
    assert [line[5] for line in lines] == [WHY, WHY, f"forced: {WHY}", *[WHY] * 6]


@pytest.fixture
def letter(migrated, settings):
    """Add a dead letter as the worker does; returns its id."""
    cipher, offsets = PayloadCipher(settings.payload_keys), iter(range(1000))

    def add():
        parts = (cipher.encrypt(b"key"), cipher.encrypt(b"value"), cipher.encrypt_headers([]))
        return migrated.execute(LETTER, (FLOW.name, FLOW.topic, next(offsets), *parts)).fetchone()[0]

    return add


async def test_dead_letters_are_given_up_by_an_admin_all_or_none(operating, migrated, letter):
    first, second, third = letter(), letter(), letter()
    status = "SELECT id, status, closed_by, close_reason FROM sync.dead_letter WHERE status = 'discarded' ORDER BY id"
    async with operating(BINA) as hand:
        await hand.do("discard-letters", flow=FLOW.name, ids=f"{first} {second}")
        assert migrated.execute(status).fetchall() == [(id_, "discarded", "bina", WHY) for id_ in (first, second)]
        assert "is discarded: nothing is left to do" in await hand.refused(
            "discard-letters", flow=FLOW.name, ids=f"{third},{first}"
        )
        assert len(migrated.execute(status).fetchall()) == 2
    assert [(line[3], line[4], line[6]) for line in audited(migrated)] == [
        ("discard dead letter", f"{FLOW.name} {first}", "done"),
        ("discard dead letter", f"{FLOW.name} {second}", "done"),
        ("discard dead letter", f"{FLOW.name} {third} {first}", "refused"),
    ]


async def test_an_outage_is_told_and_nothing_of_it_is_a_value(operating, migrated):
    async with operating() as hand:
        migrated.execute("ALTER TABLE sync.flow_state RENAME TO elsewhere")
        why = await hand.refused("pause-flow", flow=FLOW.name)
        assert 'the database refused: relation "sync.flow_state" does not exist (SQLSTATE 42P01)' in why
    (line,) = audited(migrated)
    assert line[6] == "failed"


@pytest.fixture
async def connect_cluster():
    """Kafka Connect as far as a restart needs it; remembers what it was asked."""
    asked = []

    async def status(request):
        name = request.match_info["name"]
        state = {"state": "RUNNING", "worker_id": "w"}
        return web.json_response({"name": name, "connector": state, "tasks": [{"id": 0, **state}]})

    async def restart(request):
        asked.append((request.match_info["name"], request.query_string))
        return web.Response(status=202)

    application = web.Application()
    application.router.add_get("/connectors/{name}/status", status)
    application.router.add_post("/connectors/{name}/restart", restart)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


class TestConnectors:
    @pytest.fixture
    def desk_settings(self, settings, connect_cluster):
        return settings.model_copy(update={"connect": Connect(url=connect_cluster[0])})

    async def test_connectors_that_have_failed_are_restarted(self, operating, migrated, connect_cluster):
        async with operating() as hand:
            assert "sync_warehouse runs" in await hand.do("restart-connectors")
        assert [name for name, _ in connect_cluster[1]] == connector_names()
        assert audited(migrated) == [by_asha("restart connectors", " ".join(connector_names()))]


async def test_dead_letters_and_partitions_go_through_kafka_again(operating, migrated, letter, settings):
    await ensure_topics(settings.kafka, all_topics(FLOWS))
    number = letter()
    migrated.execute(
        "INSERT INTO sync.ledger (flow, topic, partition, first_offset, next_offset) VALUES (%s, %s, 3, 0, 0)",
        (FLOW.name, FLOW.topic),
    )
    async with operating() as hand:
        assert "were sent again" in await hand.do("replay-letters", flow=FLOW.name, ids=number)
        assert "reads 0 records" in await hand.do("replay-partition", flow=FLOW.name, partition=3, offset=0)
        assert "is not between" in await hand.refused("replay-partition", flow=FLOW.name, partition=3, offset=1)
        assert "has partitions 0 to 9" in await hand.refused("replay-partition", flow=FLOW.name, partition=10, offset=0)
    assert migrated.execute("SELECT status FROM sync.dead_letter").fetchall() == [("replayed",)]
    assert await newest_value(settings.kafka, TopicPartition(FLOW.command_topic, 4)) == b"value"
    lines = audited(migrated)
    assert [(line[3], line[6]) for line in lines] == [
        ("replay dead letter", "done"),
        ("replay", "done"),
        ("replay", "refused"),
        ("replay", "refused"),
    ]
    assert lines[1][5] == f"offsets 0 to 0: {WHY}"


async def newest_value(kafka, partition):
    consumer = AIOKafkaConsumer(**kafka.client_options(), enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, end - 1)
        return (await consumer.getone(partition)).value
    finally:
        await consumer.stop()
