"""Both databases with a generated platform, and a worker that has brought everything to its target."""

from datetime import UTC, datetime

import pytest

from cli.migrate import migrate_databases
from demo.databases import DatabaseName
from demo.history import HISTORIES, Past, Sizes, load_tables
from demo.population import Population
from flows.registry import CAPTURED
from reconcile.canonical import agreed_hashing
from reconcile.progress import Progress
from reconcile.ranges import EVERYTHING
from reconcile.run import Reconciliation, Request
from reconcile.surroundings import Surroundings
from tests.support.whole_worker import WholeWorker

FAMILIES = 60
SIZES = Sizes(evaluations=500, applications=150, documents=150, user_events=0, feedback=0)

# Every other citizen is verified later than anybody else has written the golden record, and says everything.
TALKATIVE = """
    UPDATE public.citizens SET verification_status = 'Verified', updated_at = clock_timestamp(), full_name = 'A ' || id,
        date_of_birth = '1980-02-03', gender = 'F', mobile_number = '+919876543210', email = 'someone@example.org',
        city = 'Jaipur', district = ' AJMER', pincode = '302001'
    WHERE aadhaar_number IS NOT NULL AND left(id::text, 1) < '8'
    """

every_flow = pytest.mark.parametrize("flow", CAPTURED, ids=lambda flow: flow.name)


@pytest.fixture
def databases(warehouse, citizen, fresh_databases):
    """The administrator's sessions, by name."""
    past = Past(Population(1, FAMILIES), SIZES, datetime.now(UTC))
    found = {"warehouse": warehouse, "citizen": citizen}
    for name, connection in found.items():
        load_tables(connection, [each for each in HISTORIES if each.database is DatabaseName(name)], past)
    citizen.execute(TALKATIVE)
    migrate_databases(fresh_databases)
    return found


@pytest.fixture
async def worker(databases, fresh_databases, tmp_path):
    worker = WholeWorker(fresh_databases, tmp_path)
    await worker.start()
    yield worker
    await worker.close()


@pytest.fixture
async def reconcile(worker):
    """Run the reconciliation of a flow to its end and return its progress."""

    async def run(flow, *, repairs=False, bounds=EVERYTHING, patience=10.0, rows_at_a_time=50_000, begin=None):
        source, target = worker.around(flow)
        around = Surroundings(source, target, worker, await agreed_hashing(source, target))
        request = Request(repairs, bounds, patience, rows_at_a_time)
        reconciliation, progress = Reconciliation(flow, around, request), begin or Progress()
        while not progress.finished:
            progress = await reconciliation.step(progress)
        return progress

    return run
