import pytest

from tests.integration.streams.profiles.families import Worker


@pytest.fixture
def target(migrated, citizen, warehouse):
    citizen.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO sync_worker")
    warehouse.execute("GRANT SELECT ON public.profile_360 TO sync_worker")
    return citizen


@pytest.fixture
async def worker(migrated, target):
    worker = Worker(migrated)
    yield worker
    await worker.close()
