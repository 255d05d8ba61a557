"""Partitions rebuilt from the real source into the real target; candidates in RocksDB, the changelog in memory."""

import asyncio
from contextlib import asynccontextmanager
from itertools import count

import psycopg
import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from sinks import ledger, source_rows
from sinks.pool import Pool
from sinks.source_rows import fenced_read
from streams import ranked_source
from streams.outage import is_outage
from streams.ranked_decoding import RankedDecoder
from streams.ranked_writer import RankedWriter
from streams.rebuild import Rebuilder
from tables.entry import identity_of, is_live
from tests.integration.streams.conftest import family, row
from tests.support.changelog import make_table
from tests.support.databases import administrators
from tests.support.oracle import compare
from tests.support.records import partition_of_family

PARTITIONS = range(FLOW.partitions)
INSERT = """
    INSERT INTO eligibility.eligibility_snapshots
    SELECT * FROM json_populate_record(NULL::eligibility.eligibility_snapshots, %s::json)
    """

#: Hints of families that have no candidates.
STRANGERS = """
    INSERT INTO eligibility_hints
    SELECT gen_random_uuid(), scheme_code, eligibility_status, eligibility_score, confidence, explanation, rank, updated_at
    FROM eligibility_hints
    """


class Source:
    """Families of every partition and their snapshots."""

    def __init__(self, warehouse):
        self.warehouse = warehouse
        self.numbers = count(1)
        self.families = {partition: [] for partition in PARTITIONS}

    def fill(self, families_each=2, rows_each=7):
        """Rows in turns, so that every page of the source has some for every partition."""
        homes = [self.new_family(partition) for _ in range(families_each) for partition in PARTITIONS]
        for _ in range(rows_each):
            for home in homes:
                self.insert(home)

    def new_family(self, partition):
        home = next(home for home in iter(family, None) if partition_of_family(home) == partition)
        self.families[partition].append(home)
        return home

    def insert(self, home, **values):
        number = next(self.numbers)
        snapshot = row(number, home, eligibility_score=f"0.{number:04}") | values
        self.warehouse.execute(INSERT, (psycopg.types.json.Json(snapshot),))
        return number

    def numbers_of(self, partition):
        found = self.warehouse.execute("SELECT family_id::text, snapshot_id FROM eligibility.eligibility_snapshots")
        return {number for home, number in found if home in self.families[partition]}


class Readings:
    """Fenced reads, counted; once :meth:`hold` was called, pages come one by one as they are let through."""

    def __init__(self):
        self.begun = self.ended = 0
        self._gate = None

    @asynccontextmanager
    async def open(self, pool, flow):
        self.begun += 1
        try:
            async with fenced_read(pool, flow) as read:
                yield Held(read, self._gate) if self._gate else read
        finally:
            self.ended += 1

    def hold(self):
        self._gate = asyncio.Semaphore(0)

    def let(self, pages):
        for _ in range(pages):
            self._gate.release()


class Held:
    def __init__(self, read, gate):
        self.lsn, self._read, self._gate = read.lsn, read, gate

    async def pages(self):
        async for page in self._read.pages():
            await self._gate.acquire()
            yield page


class Worker:
    """A worker's rebuilder, its table, and the tokens of all partitions."""

    def __init__(self, name, folder, changelog, pools):
        self.name = name
        self.target = pools[1]
        self.table = make_table(folder / name, changelog)
        self.rebuilder = Rebuilder(FLOW, self.table, *pools, RankedWriter(FLOW, self.table), RankedDecoder(FLOW, epoch=1))
        self.claims = {}

    async def claim(self):
        starts = [(topic, partition, 0) for topic in FLOW.topics for partition in PARTITIONS]
        async with self.target.session() as session:
            for claim in await ledger.claim(session, FLOW.name, self.name, starts):
                self.claims.setdefault(claim.partition, {})[claim.topic] = claim
        return self

    def rebuild(self, partition, resync=1):
        claims = self.claims[partition]
        return asyncio.create_task(self.rebuilder.rebuild(claims, dict.fromkeys(claims, 0), resync))

    async def rebuild_all(self, resync=1):
        await asyncio.gather(*[self.rebuild(partition, resync) for partition in PARTITIONS])

    def live(self, partition):
        return {identity_of(key) for key, entry in self.table.entries(partition) if is_live(entry)}


@pytest.fixture
async def pools(migrated):
    pools = (Pool(migrated.warehouse), Pool(migrated.citizen))
    yield pools
    for pool in pools:
        await pool.close()


@pytest.fixture
async def worker(tmp_path, changelog, pools):
    return await Worker("worker", tmp_path, changelog, pools).claim()


@pytest.fixture
def source(warehouse, migrated):
    return Source(warehouse)


@pytest.fixture
def readings(monkeypatch):
    readings = Readings()
    monkeypatch.setattr(ranked_source, "fenced_read", readings.open)
    return readings


@pytest.fixture
def is_right(migrated):
    """Whether the target is what the independent SQL says."""
    sides = administrators(migrated)
    yield lambda: compare(*sides).equal
    for side in sides:
        side.close()


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a database tells when it is asked
            await asyncio.sleep(0.01)


async def test_partitions_that_wait_together_read_the_source_once_and_each_has_all_its_rows(worker, source, readings, is_right):
    source.fill()
    await worker.rebuild_all()
    assert readings.begun == 1
    for partition in PARTITIONS:
        assert worker.live(partition) == source.numbers_of(partition) != set()
    assert is_right()


async def test_a_rebuild_mends_what_is_missing_too_much_or_different(worker, source, citizen, warehouse, is_right):
    source.fill()
    await worker.rebuild_all()
    warehouse.execute("DELETE FROM eligibility.eligibility_snapshots WHERE snapshot_id % 3 = 0")
    warehouse.execute("UPDATE eligibility.eligibility_snapshots SET scheme_code = 'new' WHERE snapshot_id % 5 = 0")
    source.fill(families_each=1)
    emptied = source.families[4][0]
    warehouse.execute("DELETE FROM eligibility.eligibility_snapshots WHERE family_id = %s", (emptied,))
    citizen.execute(STRANGERS)
    assert not is_right()
    await worker.rebuild_all(resync=2)
    assert is_right()
    assert citizen.execute("SELECT DISTINCT resynced FROM sync.ledger").fetchall() == [(2,)]


async def test_a_partition_alone_leaves_the_others_alone(worker, source, readings, changelog):
    source.fill()
    await worker.rebuild(3)
    assert (readings.begun, list(changelog.logs)) == (1, [3])
    assert worker.live(3) == source.numbers_of(3)
    assert not any(worker.table.data.partition_path(partition).exists() for partition in PARTITIONS if partition != 3)


async def test_a_lane_that_is_cancelled_gets_nothing_more_and_the_others_get_all(
    worker, source, readings, changelog, monkeypatch
):
    monkeypatch.setattr(source_rows, "PAGE_ROWS", 10)
    source.fill()
    readings.hold()
    tasks = {partition: worker.rebuild(partition) for partition in PARTITIONS}
    readings.let(3)
    await until(lambda: len(changelog.logs.get(2, ())) == len(changelog.logs.get(5, ())) == 3)
    tasks[2].cancel()
    await asyncio.wait([tasks[2]])
    assert tasks[2].cancelled()
    written = len(changelog.logs[2])
    worker.table.discard(2)  # as when the partition goes to another worker
    readings.let(1000)
    await asyncio.gather(*[task for partition, task in tasks.items() if partition != 2])
    assert (readings.begun, readings.ended) == (1, 1)
    assert len(changelog.logs[2]) == written < len(source.numbers_of(2))
    assert not worker.table.data.partition_path(2).exists()
    for partition in set(PARTITIONS) - {2}:
        assert worker.live(partition) == source.numbers_of(partition)


async def test_when_all_lanes_are_cancelled_the_snapshot_of_the_source_is_given_up(
    worker, source, readings, warehouse, monkeypatch
):
    monkeypatch.setattr(source_rows, "PAGE_ROWS", 10)
    source.fill()
    readings.hold()
    tasks = [worker.rebuild(partition) for partition in (0, 1)]
    await until(lambda: readings.begun == 1)
    readings.let(1)
    open_snapshots = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
    await until(lambda: warehouse.execute(open_snapshots).fetchone() == (1,))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await until(lambda: warehouse.execute(open_snapshots).fetchone() == (0,))
    assert readings.ended == 1


async def test_an_outage_in_the_middle_reaches_every_lane_and_the_next_attempt_completes(
    worker, source, readings, warehouse, is_right, monkeypatch
):
    monkeypatch.setattr(source_rows, "PAGE_ROWS", 10)
    source.fill()
    readings.hold()
    tasks = [worker.rebuild(partition) for partition in PARTITIONS]
    readings.let(3)
    kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'idle in transaction'"
    await until(lambda: warehouse.execute(kill).fetchone() == (1,))
    readings.let(1000)
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(is_outage(error) for error in errors), errors
    await worker.rebuild_all()
    assert readings.begun == 2
    assert is_right()
