import pytest
from aiohttp.test_utils import TestClient, TestServer

from tests.unit.views.world import World


@pytest.fixture
def world():
    return World()


@pytest.fixture
async def client(world):
    """A client of the pages, which a test may ask for `client.get("/")`."""
    async with TestClient(TestServer(world.application())) as client:
        yield client


@pytest.fixture
def page(client):
    """The text of a page that must be there."""

    async def get(path="/"):
        async with client.get(path) as answer:
            assert answer.status == 200
            return await answer.text()

    return get
