"""Both databases migrated, and runners over them."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from cli.migrate import migrate_databases
from sinks import job_board
from sinks.job_board import Line
from sinks.job_ledger import State
from sinks.pool import Pool
from tests.support import counting_job


@pytest.fixture
def migrated(warehouse, citizen, fresh_databases):
    migrate_databases(fresh_databases)
    return fresh_databases


@pytest.fixture
def ledger(migrated, citizen):
    """The administrator's connection to the database whose ledger the counting job uses."""
    citizen.execute(counting_job.TABLE)
    citizen.execute("GRANT ALL ON public.counted TO sync_worker")
    return citizen


@pytest.fixture
async def make_runner(migrated):
    """Runners of counting jobs, as of different workers."""
    made = []

    def make(job, **settings):
        runner = counting_job.runner(migrated.citizen, job, counting_job.HURRIED.model_copy(update=settings))
        made.append(runner)
        return runner

    yield make
    for runner in made:
        await runner.stop()
        await runner._target.close()


@pytest.fixture
async def propose(migrated):
    """Write a line for the counting job, due since a minute."""

    async def write(job="counting", lane="counting", **values):
        now = datetime.now(UTC)
        line = Line(
            job, now.replace(minute=0, second=0, microsecond=0), lane, State.SCHEDULED, now - timedelta(minutes=1), "on time"
        )
        line = Line(**(vars(line) | values))
        async with session_of(migrated.citizen) as session:
            await job_board.propose(session, [line])
        return line

    return write


@asynccontextmanager
async def session_of(database):
    pool = Pool(database)
    try:
        async with pool.session() as session:
            yield session
    finally:
        await pool.close()


async def drive(runner, until, *, seconds=30):
    """Look again and again until ``until()`` holds."""
    async with asyncio.timeout(seconds):
        while not until():
            await runner.look()
            await asyncio.sleep(0.05)


def state_of(ledger, job="counting"):
    row = ledger.execute("SELECT state FROM sync.job_run WHERE job = %s ORDER BY scheduled_for DESC LIMIT 1", (job,)).fetchone()
    return row and row[0]
