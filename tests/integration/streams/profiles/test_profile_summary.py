"""Profile summaries on the real database: histories against the oracle, and the situations that the specification names."""

import asyncio
import random
import uuid
from itertools import pairwise

import pytest

from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY as FLOW
from schemas.headers import REPLAY_HEADER
from sinks.ledger import LostOwnership
from streams.unit_of_work import FlowMustStop
from tests.integration.streams.profiles.families import Log, Warehouse, Worker, profile, standing
from tests.oracle.profiles import summaries
from tests.support.dying import die_after
from tests.support.waiting import eventually

PERSON, SPOUSE, CHILD = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
FAMILY, OTHER = (str(uuid.UUID(int=number)) for number in (101, 102))


@pytest.fixture
def log():
    return Log()


@pytest.fixture
async def claim(worker, log):
    return await worker.claim(log)


@pytest.fixture
async def people(worker):
    return People(worker)


class People:
    """Golden records as their flow writes them."""

    def __init__(self, worker):
        self._worker, self._log, self._lsn = worker, Log(GOLDEN_RECORDS), 10

    async def put(self, gr_id, family):
        row = dict.fromkeys(column.name for column in GOLDEN_RECORDS.source.columns) | {"gr_id": gr_id, "family_id": family}
        await self._write("u", None, row)

    async def remove(self, gr_id):
        await self._write("d", {"gr_id": gr_id}, None)

    async def _write(self, *change):
        self._lsn += 1
        self._log.event(*change, self._lsn)
        await self._worker.apply(self._log, self._log.records[-1:])


def counts(target):
    columns = ", ".join(f"sum({name})" for name in ("records_read", "applied", "superseded", "parked", "dead_lettered"))
    return target.execute(f"SELECT {columns} FROM sync.ledger WHERE flow = %s", (FLOW.name,)).fetchone()


def shown(target):
    """Family to the cluster of the profile that stands for it."""
    return {family: row[3] for family, row in standing(target).items()}


def tuples(target):
    tables = ("public.profile_summary", "sync.profile_member", "sync.row_version", "sync.parked")
    return {(table, *row) for table in tables for row in target.execute(f"SELECT xmin::text, t::text FROM {table} AS t")}


def parts_of(records, chance):
    cuts = [0, *sorted(chance.sample(range(1, len(records)), min(7, len(records) - 1))), len(records)]
    return [records[low:high] for low, high in pairwise(cuts)]


def assert_parked_agree(target):
    """What the ledger counts as parked is what waits."""
    waiting = target.execute("SELECT count(*) FROM sync.parked WHERE state = 'waiting'").fetchone()[0]
    assert counts(target)[3] == waiting


class Lanes:
    """A worker for every log, all at work at the same time."""

    def __init__(self, settings, world, seed):
        self.logs = [log for pair in world.logs.values() for log in pair]
        self._workers = [Worker(settings) for _ in self.logs]
        self._seed = seed

    async def run(self):
        await asyncio.gather(*[self._lane(*each) for each in zip(self._workers, self.logs, strict=True)])
        for worker, log in zip(self._workers, self.logs, strict=True):
            if log.flow is FLOW:
                await worker.tick(await worker.claim(log))

    async def _lane(self, worker, log):
        claim = await worker.claim(log)
        for part in parts_of(log.records, random.Random(f"{self._seed}{log.topic}{log.partition}")):
            await worker.apply(log, part, claim)
            if log.flow is FLOW:
                await worker.tick(claim)

    async def close(self):
        for worker in self._workers:
            await worker.close()


@pytest.mark.parametrize("seed", range(8))
async def test_histories_in_concurrent_lanes_come_to_what_the_oracle_says_and_a_replay_changes_no_row(seed, migrated, target):
    world = Warehouse(seed)
    world.live(250)
    lanes = Lanes(migrated, world, seed)
    await lanes.run()
    assert standing(target) == summaries(world.profiles, world.golden)
    assert counts(target)[0] == sum(len(log.records) for log in world.logs[FLOW.name])
    assert_parked_agree(target)
    before = tuples(target)
    target.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset")
    await lanes.run()
    assert tuples(target) == before
    await lanes.close()


async def test_the_newest_profile_of_a_family_stands_and_the_greater_number_where_times_are_equal(
    worker, people, target, log, claim
):
    for person in (PERSON, SPOUSE, CHILD):
        await people.put(person, FAMILY)
    log.event("c", None, profile(7, PERSON, 5), 10)
    log.event("c", None, profile(3, SPOUSE, 9), 11)
    log.event("c", None, profile(9, CHILD, 9), 12)
    await worker.apply(log, claim=claim)
    assert standing(target) == {FAMILY: summaries({9: profile(9, CHILD, 9)}, {CHILD: FAMILY})[FAMILY]}


async def test_when_the_newest_is_deleted_the_next_newest_stands_and_after_the_last_none(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    rows = [profile(number, PERSON, number) for number in (1, 2)]
    for place, row in enumerate(rows):
        log.event("c", None, row, 10 + place)
    await worker.apply(log, claim=claim)
    seen = [shown(target)]
    for row in reversed(rows):
        log.event("d", row, None, 20 + row["profile_id"] * -1)
        await worker.apply(log, log.records[-1:], claim)
        seen.append(shown(target))
    assert seen == [{FAMILY: "cluster 2"}, {FAMILY: "cluster 1"}, {}]


async def test_a_profile_goes_along_when_its_golden_record_moves(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    await people.put(SPOUSE, FAMILY)
    log.event("c", None, profile(1, PERSON, 1), 10)
    log.event("c", None, profile(2, SPOUSE, 2), 11)
    await worker.apply(log, claim=claim)
    await people.put(SPOUSE, OTHER)
    await worker.tick(claim)
    assert shown(target) == {FAMILY: "cluster 1", OTHER: "cluster 2"}
    await people.put(SPOUSE, None)
    await worker.tick(claim)
    assert shown(target) == {FAMILY: "cluster 1"}
    await people.put(SPOUSE, FAMILY)
    await worker.tick(claim)
    assert shown(target) == {FAMILY: "cluster 2"}


async def test_a_profile_whose_golden_record_is_gone_counts_no_more_until_that_comes_back(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    log.event("c", None, profile(1, PERSON), 10)
    await worker.apply(log, claim=claim)
    await people.remove(PERSON)
    await worker.tick(claim)
    assert shown(target) == {}
    assert notes(target) == [PERSON], "it is waited for"
    await worker.tick(claim)
    await people.put(PERSON, OTHER)
    await worker.tick(claim)
    assert shown(target) == {OTHER: "cluster 1"}
    assert notes(target) == []


def notes(target):
    return [gr_id for (gr_id,) in target.execute("SELECT gr_id::text FROM sync.profile_moved").fetchall()]


async def test_a_golden_record_without_a_family_is_there_and_nothing_waits_for_it(worker, people, target, log, claim):
    await people.put(PERSON, None)
    log.event("c", None, profile(1, PERSON), 10)
    await worker.apply(log, claim=claim)
    assert shown(target) == {}
    assert counts(target) == (1, 1, 0, 0, 0)


async def test_a_profile_whose_golden_record_was_never_seen_waits_and_is_applied_when_it_comes(
    worker, people, target, log, claim
):
    log.event("c", None, profile(1, PERSON, cluster_id="first"), 10)
    log.event("u", None, profile(1, PERSON, cluster_id="second"), 20)
    for record in log.records:
        await worker.apply(log, [record], claim)
    assert counts(target) == (2, 0, 1, 1, 0), "what a newer version overtakes waits no longer"
    await people.put(PERSON, FAMILY)
    await worker.tick(claim)
    assert shown(target) == {FAMILY: "second"}
    assert counts(target) == (2, 1, 1, 0, 0)


async def test_after_the_deadline_it_is_a_dead_letter_which_a_late_golden_record_still_closes(worker, people, target, log, claim):
    log.event("c", None, profile(1, PERSON), 10)
    await worker.apply(log, claim=claim)
    target.execute("UPDATE sync.parked SET deadline = now() - interval '1 second'")
    await worker.tick(claim)
    letter = target.execute("SELECT status, reason, detail, row_key FROM sync.dead_letter").fetchone()
    assert letter == ("open", "reference_missing", "`gr_id` names no row of public.profile_data", "1")
    assert counts(target) == (1, 0, 0, 0, 1)
    await people.put(PERSON, FAMILY)
    await worker.tick(claim)
    assert shown(target) == {FAMILY: "cluster 1"}
    assert target.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]


async def test_a_delete_cancels_what_waits(worker, people, target, log, claim):
    log.event("c", None, profile(1, PERSON), 10)
    log.event("d", profile(1, PERSON), None, 20)
    for record in log.records:
        await worker.apply(log, [record], claim)
    assert counts(target) == (2, 1, 1, 0, 0)
    await people.put(PERSON, FAMILY)
    await worker.tick(claim)
    assert shown(target) == {}


async def test_a_profile_that_moves_to_somebody_unknown_leaves_its_family_and_waits(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    log.event("c", None, profile(1, PERSON), 10)
    log.event("d", profile(1, PERSON), None, 20)
    log.event("c", None, profile(1, SPOUSE), 20)
    for record in log.records:
        await worker.apply(log, [record], claim)
    assert shown(target) == {}
    await people.put(SPOUSE, OTHER)
    await worker.tick(claim)
    assert shown(target) == {OTHER: "cluster 1"}


async def test_a_dead_letter_sent_again_while_its_golden_record_is_still_missing_stays_one(worker, people, target, log, claim):
    log.event("c", None, profile(1, PERSON), 10)
    await worker.apply(log, claim=claim)
    target.execute("UPDATE sync.parked SET deadline = now() - interval '1 second'")
    await worker.tick(claim)
    (letter,) = target.execute("UPDATE sync.dead_letter SET status = 'replayed' RETURNING id").fetchone()
    commands = Log(topic=FLOW.command_topic)
    for known in (False, True):
        if known:
            await people.put(PERSON, FAMILY)
        commands.raw(log.records[0].value, log.records[0].key, [(REPLAY_HEADER, str(letter).encode())])
        await worker.apply(commands, commands.records[-1:])
        status = "closed" if known else "open"
        assert target.execute("SELECT status FROM sync.dead_letter").fetchall() == [(status,)]
    assert shown(target) == {FAMILY: "cluster 1"}


async def test_inverted_times_do_not_bring_an_older_change_back(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    log.event("u", None, profile(1, PERSON, 5, cluster_id="committed last"), 20)
    log.event("u", None, profile(1, PERSON, 9, cluster_id="committed first"), 10)
    for record in log.records:
        await worker.apply(log, [record], claim)
    assert shown(target) == {FAMILY: "committed last"}
    assert counts(target) == (2, 1, 1, 0, 0)


async def test_a_changed_profile_number_is_a_move(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    log.event("c", None, profile(1, PERSON, cluster_id="same"), 10)
    log.event("u", profile(1, PERSON), profile(2, PERSON, cluster_id="same"), 20)
    await worker.apply(log, claim=claim)
    assert target.execute("SELECT profile_id FROM sync.profile_member").fetchall() == [(2,)]
    assert counts(target) == (2, 1, 1, 0, 0)


async def test_two_lanes_that_touch_one_family_agree_although_neither_sees_the_other_at_first(migrated, people, target):
    await people.put(PERSON, FAMILY)
    await people.put(SPOUSE, FAMILY)
    logs, workers = [Log(partition=0), Log(partition=1)], [Worker(migrated), Worker(migrated)]
    logs[0].event("c", None, profile(1, PERSON, 1), 10)
    logs[1].event("c", None, profile(2, SPOUSE, 2), 11)
    target.execute("INSERT INTO sync.family VALUES (%s)", (FAMILY,))
    async with workers[0].target.session() as session:
        await session.run("BEGIN; SELECT FROM sync.family FOR UPDATE")
        lanes = [asyncio.ensure_future(worker.apply(log)) for worker, log in zip(workers, logs, strict=True)]
        await blocked(target, 2)  # both have written their member, and none has computed
        await session.run("ROLLBACK")
    await asyncio.gather(*lanes)
    assert shown(target) == {FAMILY: "cluster 2"}
    for worker in workers:
        await worker.close()


async def blocked(target, number):
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await asyncio.to_thread(eventually, lambda: target.execute(query).fetchone()[0] == number, f"{number} wait", within=20)


async def test_a_profile_that_moves_to_somebody_unknown_waits_also_when_its_delete_is_written_at_the_same_moment(
    migrated, worker, people, target
):
    await people.put(PERSON, FAMILY)
    logs, leaving = [Log(partition=0), Log(partition=1)], Worker(migrated)
    logs[0].event("c", None, profile(1, PERSON), 10)
    await leaving.apply(logs[0])
    logs[0].event("d", profile(1, PERSON), None, 20)
    logs[1].event("c", None, profile(1, SPOUSE), 20)
    async with worker.target.session() as session:
        await session.run("BEGIN; SELECT FROM sync.profile_member FOR UPDATE")
        gone = asyncio.ensure_future(leaving.apply(logs[0], logs[0].records[1:]))
        await blocked(target, 1)  # the delete has its version, and is not committed
        arriving = asyncio.ensure_future(worker.apply(logs[1]))
        await blocked(target, 2)  # at the same position: what the delete has noted is not to be seen yet
        await session.run("ROLLBACK")
    await asyncio.gather(gone, arriving)
    assert shown(target) == {}
    await people.put(SPOUSE, OTHER)
    await worker.tick(await worker.claim(logs[1]))
    assert shown(target) == {OTHER: "cluster 1"}
    await leaving.close()


async def test_a_golden_record_that_moves_while_its_profile_is_written_takes_it_along(
    migrated, worker, people, target, log, claim
):
    await people.put(PERSON, FAMILY)
    log.event("c", None, profile(1, PERSON), 10)
    target.execute("INSERT INTO sync.family VALUES (%s)", (FAMILY,))
    other = Worker(migrated)
    async with other.target.session() as session:
        await session.run("BEGIN; SELECT FROM sync.family FOR UPDATE")
        writing = asyncio.ensure_future(worker.apply(log, claim=claim))
        await blocked(target, 1)  # the member is written with the family that was read, and not committed
        moving = asyncio.ensure_future(people.put(PERSON, OTHER))
        await blocked(target, 2)  # the golden record waits for whoever has read it
        await session.run("ROLLBACK")
    await asyncio.gather(writing, moving)
    await worker.tick(claim)
    assert shown(target) == {OTHER: "cluster 1"}
    await other.close()


async def test_a_golden_record_that_moves_again_while_the_move_is_followed_is_not_forgotten(
    migrated, worker, people, target, log, claim
):
    await people.put(PERSON, FAMILY)
    log.event("c", None, profile(1, PERSON), 10)
    await worker.apply(log, claim=claim)
    await people.put(PERSON, OTHER)
    other = Worker(migrated)
    async with other.target.session() as session:
        await session.run("BEGIN; SELECT FROM sync.family FOR UPDATE")
        following = asyncio.ensure_future(worker.tick(claim))
        await blocked(target, 1)  # the member is in the other family, and that is not committed
        moving = asyncio.ensure_future(people.put(PERSON, FAMILY))
        await blocked(target, 2)  # as far as can be seen nothing moves, but the note says that somebody works on it
        await session.run("ROLLBACK")
    await asyncio.gather(following, moving)
    await worker.tick(claim)
    assert shown(target) == {FAMILY: "cluster 1"}
    await other.close()


async def test_an_old_fencing_token_writes_nothing_and_moves_nothing(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    log.event("c", None, profile(1, PERSON), 10)
    await worker.apply(log, claim=claim)
    await people.put(PERSON, OTHER)
    await worker.claim(log, "heir")
    log.event("u", None, profile(1, PERSON, 9), 20)
    with pytest.raises(LostOwnership):
        await worker.apply(log, log.records[1:], claim)
    with pytest.raises(LostOwnership):
        await worker.tick(claim)
    assert shown(target) == {FAMILY: "cluster 1"}


async def test_a_bad_profile_keeps_its_last_good_version_and_a_truncate_stops_the_flow(worker, people, target, log, claim):
    await people.put(PERSON, FAMILY)
    log.event("c", None, profile(1, PERSON), 10)
    log.event("u", None, profile(1, PERSON, vulnerability_level="x" * 21), 20)
    log.raw(b'{"op": "t", "source": {"lsn": 30, "ts_us": 0}}', None)
    with pytest.raises(FlowMustStop, match="truncate"):
        await worker.apply(log, claim=claim)
    assert shown(target) == {FAMILY: "cluster 1"}
    assert counts(target) == (2, 1, 0, 0, 1)


async def test_a_unit_of_work_that_dies_at_any_await_leaves_nothing_half_done(migrated, target):
    world, turns, finished = Warehouse(seed=3, lanes=1), 0, False
    log, golden = world.logs[FLOW.name][0], world.logs[GOLDEN_RECORDS.name][0]
    while not finished:
        turns += 1
        done = len(log.records), len(golden.records)
        while len(log.records) < done[0] + 4:
            world.live(1)
        dying, heir = Worker(migrated), Worker(migrated)
        if golden.records[done[1] :]:
            await heir.apply(golden, golden.records[done[1] :])
        part = log.records[done[0] :]
        finished = await die_after(turns, dying.apply(log, part, await dying.claim(log, "dying")))
        claim = await heir.claim(log, "heir")
        await heir.apply(log, part, claim)
        await heir.tick(claim)
        assert standing(target) == summaries(world.profiles, world.golden)
        assert counts(target)[0] == len(log.records)
        assert_parked_agree(target)
        await dying.close()
        await heir.close()
    assert turns > 3
