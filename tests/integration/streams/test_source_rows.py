"""Which rows a fenced read calls late, on the real database."""

import asyncio
import json
from dataclasses import replace

import psycopg
import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.model import Flow
from flows.tables import Column, Database, Source, SourceColumn, Table
from sinks.pool import Pool
from sinks.source_rows import FencedRead, FenceTimeout, fenced_read
from tests.integration.streams.conftest import family, row

EPOCH = 2**32
INSERT = """
    INSERT INTO eligibility.eligibility_snapshots
    SELECT * FROM json_populate_record(NULL::eligibility.eligibility_snapshots, %s::json)
    RETURNING xmin::text::bigint
    """
NEXT_XID = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


@pytest.fixture
async def source(migrated):
    pool = Pool(migrated.warehouse)
    yield pool
    await pool.close()


def insert(connection, number, **values):
    """Returns the transaction's number as the row shows it."""
    return connection.execute(INSERT, (psycopg.types.json.Json(row(number, family(), **values)),)).fetchone()[0]


async def late_rows(read):
    """Whether each row is late, by its primary key, the first column."""
    pages = [page async for page in read.pages()]
    return {int(next(iter(json.loads(found.content).values()))): found.late for page in pages for found in page}


async def late_if(source, later):
    """What would be late if the transactions ``later`` were those after the fence."""
    async with source.session() as session:
        return await late_rows(FencedRead(session, FLOW, 0, later))


async def until(connection, statement, expected):
    async with asyncio.timeout(10):
        while not expected(connection.execute(statement).fetchone()[0]):  # noqa: ASYNC110 - a database tells when it is asked
            await asyncio.sleep(0.01)


async def test_a_row_is_late_when_it_was_written_after_the_fence_however_the_snapshot_came_to_see_it(warehouse, source, migrated):
    insert(warehouse, 1)
    login = migrated.warehouse.conninfo(migrated.warehouse_admin)
    with psycopg.connect(**login) as older:
        insert(older, 2)
        before = warehouse.execute(NEXT_XID).fetchone()[0]

        async def read():
            async with fenced_read(source, FLOW) as fenced:
                return await late_rows(fenced)

        reading = asyncio.create_task(read())
        await until(warehouse, NEXT_XID, lambda following: following > before)  # the fence has taken its number
        insert(warehouse, 3)
        warehouse.execute("UPDATE eligibility.eligibility_snapshots SET explanation = 'later' WHERE snapshot_id = 1")
        insert(older, 4)
        older.commit()
    assert await reading == {1: True, 2: False, 3: True, 4: False}


async def test_no_two_fences_have_the_same_place_however_soon_one_follows_the_other_and_a_crash_takes_none_back(
    source, warehouse
):
    fences = []
    for _ in range(5):
        async with fenced_read(source, FLOW) as read:
            fences.append(read.lsn)
            assert warehouse.execute("SELECT pg_current_wal_flush_lsn() - '0/0'").fetchone()[0] >= read.lsn
    assert fences == sorted(set(fences))


async def test_an_older_transaction_that_does_not_end_is_named(warehouse, source, migrated):
    with psycopg.connect(**migrated.warehouse.conninfo(migrated.warehouse_admin)) as older:
        insert(older, 1)
        with pytest.raises(FenceTimeout, match="pg_stat_activity"):
            async with fenced_read(source, FLOW, wait=0.0):
                pytest.fail("read in spite of it")


async def test_a_frozen_row_still_shows_its_transaction_and_is_not_late_however_old_it_is(warehouse, source):
    xid = insert(warehouse, 1)
    warehouse.execute("VACUUM (FREEZE) eligibility.eligibility_snapshots")
    assert warehouse.execute("SELECT xmin::text::bigint FROM eligibility.eligibility_snapshots").fetchone() == (xid,)
    for age in (1, 2**31 - 1, 2**31, 2**31 + 1, 3 * 2**30, EPOCH - 1000, EPOCH + 1, 5 * EPOCH + 2**31):
        assert await late_if(source, range(xid + age, xid + age + 100)) == {1: False}, age


async def test_the_window_of_late_transactions_is_exact_and_may_span_the_end_of_the_numbers(warehouse, source):
    xid = insert(warehouse, 1)
    for epoch in (0, EPOCH, 7 * EPOCH):
        assert await late_if(source, range(epoch + xid, epoch + xid + 1)) == {1: True}
        assert await late_if(source, range(epoch + xid - 5, epoch + xid)) == {1: False}
        assert await late_if(source, range(epoch + xid + 1, epoch + xid + 5)) == {1: False}
    assert await late_if(source, range(EPOCH - 10, EPOCH + xid)) == {1: False}
    assert await late_if(source, range(EPOCH - 10, EPOCH + xid + 1)) == {1: True}
    assert await late_if(source, range(xid, xid)) == {1: False}


async def test_rows_of_permanent_transactions_are_never_late(source):
    """The catalogs have some, from initdb: number 1. No transaction of the window has a number below 3."""
    columns = (SourceColumn("oid", "bigint", required=True),)
    catalog = Flow(
        name="catalog",
        title="Types of the catalog",
        source=Source(Table(Database.WAREHOUSE, "pg_catalog", "pg_type"), columns, primary_key="oid", message_key="oid"),
        target=replace(FLOW.target, key=("oid",), columns=(Column("oid", "bigint", "oid"),)),
        partitions=1,
        events_per_day=1,
        latency=FLOW.latency,
    )
    async with source.session() as session:
        ((permanent, others),) = await session.rows(
            "SELECT count(*) FILTER (WHERE xmin::text::bigint < 3), count(*) FILTER (WHERE xmin::text::bigint >= 3) FROM pg_type"
        )
        found = await late_rows(FencedRead(session, catalog, 0, range(EPOCH - 10, 2 * EPOCH - 10)))
    assert permanent > 0
    assert list(found.values()).count(True) == others
    assert list(found.values()).count(False) == permanent
