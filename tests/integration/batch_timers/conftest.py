"""Both databases migrated, and runners over them."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.rows import dict_row

from batch_timers.runner import Pools, Runner
from cli.migrate import migrate_databases
from sinks import job_board
from sinks.copying import CopyPool
from sinks.job_board import Line
from sinks.job_ledger import State
from sinks.pool import Pool
from tests.support import counting_job
from tests.support.databases import administrators


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
            # Or the test would wait when it runs on a first Sunday.
            await session.run("UPDATE sync.job_run SET forced = true")
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


class Jobs:
    """Runs jobs now, as a worker would, each time for another slot."""

    def __init__(self, settings, platform):
        self._settings = settings
        self._platform = platform
        self._slot = datetime(2026, 1, 1, tzinfo=UTC)

    async def run(self, job, *, fence_wait=5, parameters=None):
        """Run it to its end; the answer is its line in the ledger."""
        runner = self.propose(job, fence_wait=fence_wait, parameters=parameters)
        await runner.look()
        await runner.finished()
        await runner._target.close()
        return self.line(job)

    def propose(self, job, *, fence_wait=5, parameters=None):
        """Ask for a run, and make a worker for it."""
        self._slot += timedelta(days=1)
        # Forced, so that it makes no difference at what time of day the test runs.
        self._ledger(job).execute(
            "INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, requested_by, forced, parameters)"
            " VALUES (%s, %s, %s, 'scheduled', now(), 'test', true, %s)",
            (job.schedule.job, self._slot, job.schedule.lane, json.dumps(parameters or {})),
        )
        return self.propose_again(job, fence_wait=fence_wait)

    def propose_again(self, job, *, fence_wait=5):
        """Another worker for what was asked for."""
        source, target = (self._settings.databases[side.table.database.value] for side in (job.flow.source, job.flow.target))
        settings = counting_job.HURRIED.model_copy(update={"fence_wait": fence_wait})
        return Runner([job], Pool(target), lambda _: Pools(CopyPool(source), CopyPool(target)), settings, "test")

    def line(self, job):
        """The newest line of a job."""
        with self._ledger(job).cursor(row_factory=dict_row) as cursor:
            statement = "SELECT * FROM sync.job_run WHERE job = %s ORDER BY scheduled_for DESC LIMIT 1"
            return cursor.execute(statement, (job.schedule.job,)).fetchone()

    def _ledger(self, job):
        return self._platform[job.flow.target.table.database.value]


@pytest.fixture
def session_of_portal(migrated):
    """Open sessions of the portal's administrator, whose transactions a test begins and ends."""
    opened = []

    def open_session():
        opened.append(administrators(migrated)[1].connect())
        return opened[-1]

    yield open_session
    for session in opened:
        session.close()


@pytest.fixture
def jobs(migrated, warehouse, citizen):
    return Jobs(migrated, {"warehouse": warehouse, "citizen": citizen})


def state_of(ledger, job="counting"):
    row = ledger.execute("SELECT state FROM sync.job_run WHERE job = %s ORDER BY scheduled_for DESC LIMIT 1", (job,)).fetchone()
    return row and row[0]
