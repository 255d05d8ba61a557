"""Connections in an outage, under both event loops that a worker may run on."""

import asyncio
import os
import resource

import psycopg2
import pytest
import uvloop

from settings import Database
from sinks.pool import Occupancy, Pool, StatementTimeout, Unavailable

ROUNDS = 3
FD_SETSIZE = 1024


every_loop = pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])


@every_loop
def test_a_pool_works_again_after_every_outage(stack, settings, run):
    assert run(outlive(stack, settings, ROUNDS)) == [1] * 8


@every_loop
@pytest.mark.usefixtures("_many_descriptors")
def test_a_pool_works_again_also_where_its_sockets_have_numbers_that_select_does_not_know(stack, settings, run):
    assert run(outlive(stack, settings, 1)) == [1] * 8


async def outlive(stack, settings, outages):
    pool = Pool(settings.citizen)
    for _ in range(outages):
        await asyncio.gather(*[answered(pool) for _ in range(8)])
        stack.citizen.kill()
        failures = await asyncio.gather(*[answered(pool) for _ in range(40)], return_exceptions=True)
        assert all(isinstance(failure, psycopg2.Error | Unavailable) for failure in failures), failures
        stack.citizen.start()
        await asyncio.to_thread(stack.citizen.wait_ready)
    found = await asyncio.gather(*[answered(pool) for _ in range(8)])
    await pool.close()
    return found


@pytest.fixture
def _many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(FD_SETSIZE)]
    yield
    for descriptor in held:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def answered(pool):
    async with pool.session() as session:
        return (await session.row("SELECT 1"))[0]


async def test_no_more_connections_than_the_pool_has_places(settings):
    pool = Pool(Database(**(settings.citizen.model_dump() | {"pool_size": 2})))

    async def pid():
        async with pool.session() as session:
            return (await session.row("SELECT pg_backend_pid() FROM pg_sleep(0.02)"))[0]

    assert len(set(await asyncio.gather(*[pid() for _ in range(10)]))) == 2
    await pool.close()


async def test_a_statement_that_the_server_ends_is_no_cancellation_of_ours(settings):
    pool = Pool(Database(**(settings.citizen.model_dump() | {"statement_timeout": 50})))
    with pytest.raises(StatementTimeout):
        async with pool.session() as session:
            await session.run("SELECT pg_sleep(5)")
    assert await answered(pool) == 1
    await pool.close()


async def test_a_pool_tells_how_full_it_is_and_who_waits(settings):
    pool = Pool(settings.citizen.model_copy(update={"pool_size": 2}))
    async with pool.session(), pool.session():
        third = asyncio.create_task(answered(pool))
        await asyncio.sleep(0)
        assert pool.occupancy == Occupancy(size=2, in_use=2, waiting=1)
    assert await third == 1
    assert pool.occupancy == Occupancy(size=2, in_use=0, waiting=0)
    await pool.close()
