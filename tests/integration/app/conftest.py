"""What a worker's pages ask of the real databases."""

import pytest

from app.cluster import DatabaseCluster
from app.questions import Questions
from app.records import KeptRecords
from cli.migrate import migrate_databases
from cli.pools import open_pools


@pytest.fixture
def migrated(warehouse, citizen, fresh_databases):
    migrate_databases(fresh_databases)
    return fresh_databases


@pytest.fixture
async def pools(migrated):
    async with open_pools(migrated) as pools:
        yield pools


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
