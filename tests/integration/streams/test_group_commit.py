"""Small chunks of several partitions that are committed together, on the real database."""

import asyncio
from random import Random

import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from sinks.ledger import LostOwnership
from sinks.pool import Unavailable
from streams.group_commit import GroupCommit
from streams.unit_of_work import FlowHalted, Gap, OriginalsNeeded
from tests.integration.streams.conftest import Log, claim_of, family
from tests.support.callbacks import until
from tests.support.dying import die_after

PARTITIONS = range(4)
EVERYTHING = slice(None)
TARGET = "SELECT family_id, scheme_code, rank, eligibility_score, explanation FROM eligibility_hints ORDER BY 1, 3"
VERSIONS = "SELECT xmin::text, ctid::text, * FROM eligibility_hints ORDER BY family_id, rank"
COUNTS = """SELECT partition, next_offset, records_read, applied, superseded, dead_lettered, tombstones
            FROM sync.ledger ORDER BY partition"""

WAITING_FOR_THE_TARGET = "SELECT FROM pg_locks WHERE NOT granted AND relation = 'eligibility_hints'::regclass"


@pytest.fixture
def logs():
    return [Log(partition=partition) for partition in PARTITIONS]


class Worker:
    """The lanes of a worker, as far as they apply chunks: one for each partition, at the same time."""

    def __init__(self, unit):
        self.unit = unit
        self.group = GroupCommit(unit, unit.applier)
        self.claims = []

    async def take_over(self, owner="worker"):
        self.claims = [await claim_of(self.unit, owner, partition=partition) for partition in PARTITIONS]
        return self

    async def apply(self, logs, part=EVERYTHING):
        """What became of that part of each log: what it came to, or the error that its lane met."""
        lanes = [self._lane(records) for log in logs if (records := log.records[part])]
        return await asyncio.gather(*lanes, return_exceptions=True)

    async def _lane(self, records):
        claim = self.claims[records[0].partition]
        try:
            return [await self.group.apply(claim, chunk) for chunk in self.unit.applier.decoder.decode(records)]
        except OriginalsNeeded:
            return [await self.group.apply(claim, chunk) for chunk in self.unit.applier.decoder.decode(records, keep=True)]


@pytest.fixture
async def worker(unit):
    return await Worker(unit).take_over()


def transactions(citizen):
    return {xmin for (xmin,) in citizen.execute("SELECT xmin::text FROM sync.ledger")}


async def test_partitions_that_have_something_at_the_same_time_share_a_transaction(worker, citizen, logs):
    for log in logs:
        log.upsert(1, family())
    await worker.apply(logs)
    assert len(citizen.execute(TARGET).fetchall()) == len(PARTITIONS)
    assert citizen.execute(COUNTS).fetchall() == [(partition, 1, 1, 1, 0, 0, 0) for partition in PARTITIONS]
    assert len(transactions(citizen)) == 1


async def test_random_histories_come_to_the_same_together_and_alone_and_a_replay_changes_no_row(make_unit, citizen, logs):
    random, homes = Random(5), [[family() for _ in range(3)] for _ in PARTITIONS]
    for number in range(120):
        log = random.choice(logs)
        _anything(random, log, homes[log.partition], number)
    together = await Worker(make_unit("together")).take_over()
    for start in range(0, max(len(log.records) for log in logs), 4):
        await together.apply(logs, slice(start, start + 4))
    found, counts, rows = (
        citizen.execute(TARGET).fetchall(),
        citizen.execute(COUNTS).fetchall(),
        citizen.execute(VERSIONS).fetchall(),
    )
    rewind(citizen)
    await together.apply(logs)
    assert citizen.execute(VERSIONS).fetchall() == rows
    citizen.execute("TRUNCATE eligibility_hints, sync.ledger")
    alone = await Worker(make_unit("alone")).take_over()
    for log in logs:
        for chunk in alone.unit.applier.decoder.decode(log.records):
            await alone.unit.apply(alone.claims[log.partition], chunk)
    assert citizen.execute(TARGET).fetchall() == found
    assert [row[:3] for row in citizen.execute(COUNTS)] == [row[:3] for row in counts]


def _anything(random, log, homes, number):
    home, row = random.choice(homes), random.randrange(12)
    match random.randrange(8):
        case 0:
            log.delete(row, home)
        case 1:
            log.raw(None)
        case _:
            log.upsert(row, home, eligibility_score=f"0.{random.randrange(10_000):04}", explanation=f"number {number}")


def rewind(citizen):
    citizen.execute("UPDATE sync.ledger SET rewound = rewound + next_offset, next_offset = 0")


async def test_a_row_that_the_database_refuses_is_isolated_in_its_partition(worker, citizen, logs):
    citizen.execute("ALTER TABLE eligibility_hints ADD CONSTRAINT no_bad CHECK (explanation <> 'bad')")
    homes = [family() for _ in logs]
    for log, home in zip(logs, homes, strict=True):
        log.upsert(1, home, explanation="first")
    await worker.apply(logs)
    for log, home in zip(logs, homes, strict=True):
        log.upsert(1, home, explanation="bad" if log.partition == 2 else "second")
        log.upsert(2, home, explanation="third")
    await worker.apply(logs, slice(1, None))
    shown = [explanation for *_, explanation in citizen.execute(TARGET)]
    assert sorted(shown) == ["first", "second", "second", "second", "third", "third", "third", "third"]
    assert citizen.execute('SELECT partition, "offset", reason FROM sync.dead_letter').fetchall() == [
        (2, 1, "refused_by_database")
    ]
    assert [row[1:] for row in citizen.execute(COUNTS)] == [
        (3, 3, 2, 0, 1, 0) if p == 2 else (3, 3, 3, 0, 0, 0) for p in PARTITIONS
    ]


async def test_an_old_fencing_token_is_refused_and_the_other_partitions_go_on(worker, citizen, logs):
    for log in logs:
        log.upsert(1, family())
    await claim_of(worker.unit, "heir", partition=1)
    outcomes = await worker.apply(logs)
    assert [type(outcome) for outcome in outcomes] == [list, LostOwnership, list, list]
    assert [row[1] for row in citizen.execute(COUNTS)] == [1, 0, 1, 1]
    assert len(citizen.execute(TARGET).fetchall()) == 3


async def test_a_ledger_row_that_somebody_holds_keeps_nobody_else_waiting(worker, citizen, logs):
    for log in logs:
        log.upsert(1, family())
    with citizen.transaction():
        citizen.execute("SELECT FROM sync.ledger WHERE partition = 3 FOR UPDATE")
        lanes = asyncio.create_task(worker.apply(logs))
        await until(lambda: [row[1] for row in citizen.execute(COUNTS)] == [1, 1, 1, 0])
    await lanes
    assert [row[1] for row in citizen.execute(COUNTS)] == [1, 1, 1, 1]


async def test_a_chunk_that_would_leave_a_gap_is_refused_and_one_that_was_applied_is_dropped(worker, citizen, logs):
    for log in logs:
        for number in range(3):
            log.upsert(number, family())
    logs[0].records = logs[0].records[1:]
    await worker.apply(logs[1:2])
    outcomes = await worker.apply(logs)
    assert [type(outcome) for outcome in outcomes] == [Gap, list, list, list]
    assert [row[1:3] for row in citizen.execute(COUNTS)] == [(0, 0), (3, 3), (3, 3), (3, 3)]


async def test_a_paused_flow_writes_nothing(worker, citizen, logs):
    citizen.execute("INSERT INTO sync.flow_state (flow, state) VALUES (%s, 'paused')", (FLOW.name,))
    for log in logs:
        log.upsert(1, family())
    assert [type(outcome) for outcome in await worker.apply(logs)] == [FlowHalted] * len(PARTITIONS)
    assert [row[1] for row in citizen.execute(COUNTS)] == [0] * len(PARTITIONS)


async def test_a_later_good_version_closes_the_letter(worker, citizen, logs):
    home = family()
    logs[1].upsert(1, home, eligibility_score="2")
    await worker.apply(logs)
    assert citizen.execute("SELECT status FROM sync.dead_letter").fetchall() == [("open",)]
    logs[0].upsert(1, family())
    logs[1].upsert(1, home, eligibility_score="0.6000")
    await asyncio.gather(worker.apply(logs[:1]), worker.apply(logs[1:2], slice(1, None)))
    assert citizen.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]
    assert len(transactions(citizen) & {xmin for (xmin,) in citizen.execute("SELECT xmin::text FROM sync.dead_letter")}) == 1


async def test_an_outage_reaches_every_lane_and_makes_no_letters(make_unit, citizen, logs):
    worker = Worker(make_unit(port=1))
    worker.claims = (await Worker(make_unit("other")).take_over()).claims
    for log in logs:
        log.upsert(1, family())
    assert [type(outcome) for outcome in await worker.apply(logs)] == [Unavailable] * len(PARTITIONS)
    assert citizen.execute("SELECT FROM sync.dead_letter").fetchall() == []


async def test_damaged_files_reach_every_lane(worker, monkeypatch, logs):
    def damaged(*_, **__):
        raise Exception("Corruption: block checksum mismatch")  # noqa: TRY002 as RocksDB's binding raises it

    for log in logs:
        log.upsert(1, family())
    monkeypatch.setattr(worker.unit.applier.table, "stage", damaged)
    assert [str(outcome) for outcome in await worker.apply(logs)] == ["Corruption: block checksum mismatch"] * len(PARTITIONS)


async def test_lanes_that_are_cancelled_take_their_transaction_with_them(worker, citizen, logs):
    for log in logs:
        log.upsert(1, family())
    with citizen.transaction():
        citizen.execute("LOCK TABLE eligibility_hints")
        lanes = asyncio.create_task(worker.apply(logs))
        await until(lambda: citizen.execute(WAITING_FOR_THE_TARGET).fetchall())
        lanes.cancel()
        await asyncio.wait([lanes])
    assert [row[1] for row in citizen.execute(COUNTS)] == [0] * len(PARTITIONS)
    await worker.apply(logs)
    assert [row[1] for row in citizen.execute(COUNTS)] == [1] * len(PARTITIONS)


async def test_a_group_that_dies_at_any_await_leaves_nothing_half_done(make_unit, citizen, logs):
    """Kill it after 1, 2, 3 … turns of the loop, then apply its chunks again as another worker would."""
    homes = [family() for _ in logs]
    finished, turns = False, 0
    while not finished:
        turns += 1
        for log, home in zip(logs, homes, strict=True):
            log.upsert(1, home, explanation=f"turn {turns}")
        dying, heir = await Worker(make_unit(f"dying-{turns}")).take_over("dying"), Worker(make_unit(f"heir-{turns}"))
        finished = await die_after(turns, dying.apply(logs, slice(turns - 1, None)))
        await heir.take_over("heir")
        await heir.apply(logs, slice(turns - 1, None))
        assert [row[1:3] for row in citizen.execute(COUNTS)] == [(turns, turns)] * len(PARTITIONS)
        assert [explanation for *_, explanation in citizen.execute(TARGET)] == [f"turn {turns}"] * len(homes)
        await dying.unit.pool.close()
        await heir.unit.pool.close()
    assert turns > 3
