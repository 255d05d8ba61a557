"""What a worker's pages ask of the real databases."""

import pytest

from app.cluster import DatabaseCluster
from app.questions import Questions
from app.records import KeptRecords
from cli.migrate import migrate_databases
from flows.tables import Database
from sinks.pool import Pool


@pytest.fixture
def migrated(warehouse, citizen, fresh_databases):
    migrate_databases(fresh_databases)
    return fresh_databases


@pytest.fixture
async def pools(migrated):
    pools = {database: Pool(migrated.databases[database.value]) for database in Database}
    yield pools
    for pool in pools.values():
        await pool.close()


@pytest.fixture
def questions(migrated):
    questions = Questions(migrated)
    yield questions
    questions.close()


@pytest.fixture
def cluster(questions):
    return DatabaseCluster(questions)


@pytest.fixture
def records(migrated, questions, pools):
    return KeptRecords(migrated, questions, pools)
