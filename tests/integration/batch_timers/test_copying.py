"""Sessions that can COPY, on a real database: they answer as others do, and what fails in them costs its connection."""

import psycopg
import pytest

from batch_timers.failures import described, is_outage
from sinks.copying import CopyPool
from sinks.pool import StatementTimeout, Unavailable

TABLE = "CREATE TEMPORARY TABLE t (n integer, v text)"


@pytest.fixture
async def pool(migrated):
    made = CopyPool(migrated.citizen)
    yield made
    await made.close()


async def test_of_several_statements_the_last_answers(pool):
    async with pool.session() as session:
        assert await session.rows("BEGIN; SELECT 1; SELECT %(n)s, '%%'", {"n": 2}) == [(2, "%")]
        assert await session.row(
            "COMMIT; SELECT gen_random_uuid()::text = NULL, '00000000-0000-0000-0000-000000000001'::uuid"
        ) == (
            None,
            "00000000-0000-0000-0000-000000000001",
        )


async def test_lines_of_a_copy_are_taken_by_another(pool):
    statement = "COPY (SELECT n, %(v)s FROM generate_series(1, 600) AS n) TO STDOUT"
    async with pool.session() as source, pool.session() as target:
        await target.run(TABLE)
        lines = [bytes(line) async for line in source.copy_out(statement, {"v": "a\tb"})]
        await target.copy_in("COPY t FROM STDIN", [b"".join(lines[:7]), b"".join(lines[7:])])
        assert await target.row("SELECT count(*), min(n), max(n), max(v) FROM t") == (600, 1, 600, "a\tb")


async def test_a_statement_that_takes_too_long_is_told_and_the_next_session_is_a_new_one(pool):
    async with pool.session() as session:
        first = await session.row("SELECT pg_backend_pid()")
    with pytest.raises(StatementTimeout):
        async with pool.session() as session:
            await session.run("SET statement_timeout = 20; SELECT pg_sleep(10)")
    async with pool.session() as session:
        assert await session.row("SELECT pg_backend_pid()") != first


async def failing(pool, act):
    """What a session's work ends with."""
    try:
        async with pool.session() as session:
            await act(session)
    except psycopg.Error as error:
        return error
    return None


async def test_an_error_is_described_by_its_code_and_never_by_its_values(pool):
    async def copying(session):
        await session.run(TABLE)
        await session.copy_in("COPY t FROM STDIN", [b"secret\tx\n"])

    error = await failing(pool, copying)
    assert described(error) == "the database refused a statement: INVALID_TEXT_REPRESENTATION (22P02)"
    assert not is_outage(error)


async def test_a_server_that_goes_away_is_an_outage(pool, citizen):
    async def left_alone(session):
        (pid,) = await session.row("SELECT pg_backend_pid()")
        citizen.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        await session.run("SELECT 1")

    assert is_outage(await failing(pool, left_alone))


async def test_who_reads_no_further_costs_a_connection_and_no_other(pool):
    async with pool.session() as session:
        async for _ in session.copy_out("COPY (SELECT n FROM generate_series(1, 100000) AS n) TO STDOUT"):
            break
    async with pool.session() as session:
        assert await session.row("SELECT 1") == (1,)


async def test_no_server_is_unavailable(migrated):
    nowhere = CopyPool(migrated.citizen.model_copy(update={"port": 1}))
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1: OperationalError"):
        async with nowhere.session():
            pass
