"""What a worker tells while what it looks at is away: quickly, and never what it does not know."""

import asyncio
import time

import pytest

from app.worker_looks import WorkerLooks
from cli.migrate import migrate_databases
from metrics.exposition import Exposition
from tests.support.scrape import parse
from tests.support.waiting import eventually

#: Nobody listens there.
NOWHERE = "127.0.0.1:1"
QUICK = 0.5  # seconds; a machine that does other work, too
SILENCE = 30.0


@pytest.fixture
async def scrape(warehouse, citizen, fresh_databases):
    """Look at real databases, with broker and Connect away, and give what a scrape gets; it must be quick."""
    migrate_databases(fresh_databases)
    kafka = fresh_databases.kafka.model_copy(update={"bootstrap_servers": NOWHERE})
    connect = fresh_databases.connect.model_copy(update={"url": f"http://{NOWHERE}"})
    looks = WorkerLooks(fresh_databases.model_copy(update={"kafka": kafka, "connect": connect}), dict)
    exposition = Exposition(looks.sources)
    task = asyncio.create_task(looks.run())

    def ask():
        began = time.perf_counter()
        text = exposition.text()
        assert time.perf_counter() - began < QUICK
        return parse(text.decode())

    yield ask
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await looks.close()


async def until(scrape, source, up):
    """Scrape until the look is up, or down; the looks have the loop meanwhile."""

    def told():
        found = scrape()
        return found if found.value("sync_collector_up", source=source) == up else None

    return await asyncio.to_thread(eventually, told, f"the look at {source} is {up}", within=SILENCE)


async def test_an_outage_of_a_database_makes_no_scrape_wait_and_is_told(scrape, stack):
    found = await until(scrape, "citizen", 1)
    found = await until(scrape, "ownership", 1)
    assert found.value("sync_flow_state", flow="eligibility_hints", state="running") == 1
    stack.citizen.kill()
    try:
        found = await until(scrape, "citizen", 0)
        assert found.value("sync_collector_up", source="warehouse") == 1
    finally:
        stack.citizen.start()
        await asyncio.to_thread(stack.citizen.wait_ready)
    await until(scrape, "citizen", 1)


async def test_what_lies_behind_a_broker_and_connect_that_are_away_is_not_told(scrape):
    await until(scrape, "warehouse", 1)
    found = scrape()
    for source in ("log", "heartbeats", "connect"):
        assert found.value("sync_collector_up", source=source) == 0
    for name in ("sync_heartbeat_age_seconds", "sync_connector_state", "sync_partition_lag_seconds"):
        assert name not in found.samples
