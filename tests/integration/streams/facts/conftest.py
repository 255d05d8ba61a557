"""A worker's append flow over the real database."""

import pytest

from flows.application_events import APPLICATION_EVENTS as FLOW
from tests.integration.streams.facts.queries import TARGET, learn
from tests.integration.streams.facts.workers import Worker
from tests.support.applications import ApplicationLog


@pytest.fixture
def target(migrated, warehouse, citizen):
    warehouse.execute("GRANT USAGE ON SCHEMA decision TO sync_worker")
    warehouse.execute(f"GRANT ALL ON {TARGET} TO sync_worker")
    citizen.execute(f"GRANT SELECT ON {FLOW.source.table.qualified} TO sync_worker")
    return warehouse


@pytest.fixture
async def worker(target, migrated):
    worker = Worker(migrated)
    yield worker
    await worker.close()


@pytest.fixture
async def claim(worker):
    return await worker.claim()


@pytest.fixture
def log():
    return ApplicationLog()


@pytest.fixture
def scheme(target, log):
    """A scheme that is known."""
    return learn(target, log.identifier())


@pytest.fixture
def unknown(log):
    """A scheme that nobody knows yet."""
    return log.identifier()
