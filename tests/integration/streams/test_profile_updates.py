"""Profile updates on the real database: histories against the oracle, and the situations that the specification names."""

import asyncio
import random
from datetime import datetime
from itertools import pairwise

import pytest

from flows.profile_updates import PROFILE_UPDATES as FLOW
from schemas.headers import REPLAY_HEADER
from sinks.ledger import LostOwnership
from streams.unit_of_work import FlowMustStop
from tests.integration.streams.conftest import apply
from tests.integration.streams.people import (
    CitizenLog,
    Portal,
    add_foreign,
    at,
    citizen_row,
    claimed,
    expected,
    golden,
    links,
    logs_of,
    match_unit,
    prepare,
    reviews,
)
from tests.oracle.people import People
from tests.support.dying import die_after
from tests.support.waiting import eventually

NUMBER, OTHER = "111122223333", "444455556666"


@pytest.fixture
def target(warehouse):
    return prepare(warehouse)


@pytest.fixture
async def make_unit(migrated, target):
    units = []

    def make():
        units.append(match_unit(migrated))
        return units[-1]

    yield make
    for unit in units:
        await unit.pool.close()


@pytest.fixture
def unit(make_unit):
    return make_unit()


@pytest.fixture
async def claim(unit):
    return await claimed(unit)


@pytest.fixture
def log():
    return CitizenLog()


def parts_of(records, chance):
    """The records, cut at random places."""
    cuts = [0, *sorted(chance.sample(range(1, len(records)), min(7, len(records) - 1))), len(records)]
    return [records[low:high] for low, high in pairwise(cuts)]


def counts(target):
    return target.execute(
        "SELECT sum(records_read), sum(applied), sum(superseded), sum(filtered), sum(dead_lettered) FROM sync.ledger"
    ).fetchone()


def tuples(target):
    tables = ("public.golden_records", "sync.golden_write", "sync.person_link", "sync.review_queue", "sync.row_version")
    return {
        table: target.execute(f"SELECT xmin::text, ctid::text, t::text FROM {table} AS t ORDER BY 3").fetchall()
        for table in tables
    }


def rewind(target):
    target.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset")


def assert_as_the_oracle_says(target, people):
    assert golden(target) == expected(people)
    assert links(target) == people.links
    assert reviews(target) == people.reviews


@pytest.mark.parametrize("seed", range(6))
async def test_random_histories_with_other_writers_come_to_what_the_oracle_says_and_a_replay_changes_no_row(
    seed, unit, claim, target
):
    chance, portal, people = random.Random(seed), Portal(seed), People()
    for _ in range(200):
        portal.act()
    (log,) = logs_of(portal.changes, 1, chance)
    changes = iter(portal.changes)
    seen = set()
    for part in parts_of(log.records, chance):
        number, minute = chance.choice(portal.numbers), chance.randrange(1000)
        add_foreign(target, number, minute, email="of the etl", district_id=chance.choice([None, 7]))
        people.foreign(number, datetime.fromisoformat(at(minute)), email="of the etl", district_id=None)
        people.records[number].values["district_id"] = golden(target)[number][2]["district_id"]
        await apply(unit, claim, part)
        for record in part:
            lsn = int(record.value.split(b'"lsn": ')[1].split(b",")[0])
            if lsn not in seen:
                seen.add(lsn)
                people.change(next(changes)[2])
    assert_as_the_oracle_says(target, people)
    read, applied, superseded, filtered, dead = counts(target)
    assert (read, dead) == (len(log.records), 0)
    assert read == applied + superseded + filtered
    before = tuples(target)
    rewind(target)
    for part in parts_of(log.records, chance):
        assert (await apply(unit, claim, part)).written == 0
    assert tuples(target) == before


@pytest.mark.parametrize("seed", range(6))
async def test_what_two_concurrent_lanes_come_to_does_not_depend_on_who_is_first(seed, make_unit, target):
    chance, portal, people = random.Random(seed), Portal(seed, people=8, numbers=11), People()
    for number in portal.numbers[:3]:
        minute = chance.choice([-1, 2000])  # before or after everything that citizens say
        add_foreign(target, number, minute, email="of the etl")
        people.foreign(number, datetime.fromisoformat(at(minute)), email="of the etl")
    for _ in range(250):
        portal.act()
    for _, _, row in portal.changes:
        people.change(row)
    logs = logs_of(portal.changes, 2, chance)

    async def lane(log):
        unit = make_unit()
        claim = await claimed(unit, log.partition, owner=f"worker {log.partition}")
        for part in parts_of(log.records, random.Random(seed + log.partition)):
            await apply(unit, claim, part)

    await asyncio.gather(*[lane(log) for log in logs])
    assert_as_the_oracle_says(target, people)
    assert counts(target)[0] == sum(len(log.records) for log in logs)


async def test_the_same_numbers_in_two_lanes_in_opposite_orders_make_one_record_each(make_unit, target):
    numbers = [f"{number:012}" for number in range(150)]
    logs = [CitizenLog(0), CitizenLog(1)]
    for place, number in enumerate(numbers):
        logs[0].change(1000 + place, *_citizen(number, full_name="earlier", email="of the earlier"))
    for place, number in enumerate(reversed(numbers)):
        logs[1].change(5000 + place, *_citizen(number, full_name="later"))
    units = [make_unit() for _ in logs]
    claims = [await claimed(unit, log.partition) for unit, log in zip(units, logs, strict=True)]
    with _another(target) as other:  # holds one in the middle, so that each lane has some of them when it has to wait
        add_foreign(other, numbers[75], 0)
        lanes = [asyncio.ensure_future(apply(*each)) for each in zip(units, claims, [log.records for log in logs], strict=True)]
        await _blocked(target, 2)
        other.rollback()
    await asyncio.gather(*lanes)
    found = golden(target)
    assert found.keys() == set(numbers)
    assert {(values["full_name"], values["email"]) for _, _, values in found.values()} == {("later", "of the earlier")}
    assert target.execute("SELECT count(*), count(DISTINCT gr_id) FROM sync.person_link").fetchone() == (300, 150)
    assert target.execute("SELECT kind, count(*) FROM sync.review_queue GROUP BY kind").fetchall() == [("new_record", 150)]


def _citizen(number, key=None, **values):
    row = citizen_row(key, number, **values)
    return row["id"], row


async def test_somebody_who_makes_the_record_at_the_same_time_is_waited_for(unit, claim, target, log, migrated):
    log.change(10, *_citizen(NUMBER, full_name="of the portal", updated_at=at(5)))
    with _another(target) as other:
        made = add_foreign(other, NUMBER, 3, full_name="of the etl", email="kept")
        task = asyncio.ensure_future(apply(unit, claim, log.records))
        await _blocked(target, 1)
        other.commit()
    await task
    ours, when, values = golden(target)[NUMBER]
    assert (ours, when, values["full_name"], values["email"]) == (True, datetime.fromisoformat(at(5)), "of the portal", "kept")
    assert target.execute("SELECT gr_id::text FROM sync.person_link").fetchall() == [(made,)]
    assert reviews(target) == set()


def _another(target):
    import psycopg

    return psycopg.connect(target.info.dsn, password=target.info.password)


async def _blocked(target, number):
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await asyncio.to_thread(
        eventually, lambda: target.execute(query).fetchone()[0] == number, f"{number} wait for a lock", within=20
    )


@pytest.mark.parametrize(("minute", "name"), [(4, "of the portal"), (5, "of the etl"), (6, "of the etl")])
async def test_against_another_writer_the_strictly_later_time_wins(unit, claim, target, log, minute, name):
    key, row = _citizen(NUMBER, full_name="of the portal", updated_at=at(5))
    add_foreign(target, NUMBER, minute, full_name="of the etl")
    log.change(10, key, row)
    await apply(unit, claim, log.records)
    assert golden(target)[NUMBER][2]["full_name"] == name
    assert links(target) == {key: NUMBER}, "who is matched is linked, whoever wrote the record"
    assert counts(target)[:3] == ((1, 1, 0) if name == "of the portal" else (1, 0, 1))


async def test_while_the_record_is_ours_the_log_decides_and_not_the_time(unit, claim, target, log):
    key, row = _citizen(NUMBER, full_name="first", updated_at=at(50))
    log.change(10, key, row)
    log.change(20, key, row | {"full_name": "second", "updated_at": at(3)})
    for record in log.records:
        await apply(unit, claim, [record])
    assert golden(target)[NUMBER][1:][1]["full_name"] == "second"
    assert golden(target)[NUMBER][1] == datetime.fromisoformat(at(3))


async def test_another_writer_may_take_a_record_and_a_later_update_takes_it_back(unit, claim, target, log):
    key, row = _citizen(NUMBER, full_name="one", email="mine", updated_at=at(1))
    log.change(10, key, row)
    await apply(unit, claim, log.records)
    add_foreign(target, NUMBER, 7, full_name="of the etl")
    log.change(20, key, row | {"full_name": "two", "updated_at": at(6)})
    await apply(unit, claim, log.records[1:])
    assert golden(target)[NUMBER][2]["full_name"] == "of the etl"
    log.change(30, key, row | {"full_name": "three", "email": None, "updated_at": at(8)})
    await apply(unit, claim, log.records[2:])
    ours, _, values = golden(target)[NUMBER]
    assert (ours, values["full_name"], values["email"]) == (True, "three", "mine")


async def test_what_an_earlier_change_of_the_chunk_said_is_not_lost_when_the_last_is_silent(unit, claim, target, log):
    key, row = _citizen(NUMBER, email="e", district="Jaipur")
    log.change(10, key, row)
    log.change(20, key, row | {"email": None, "full_name": "n", "district": "Atlantis"})
    log.change(30, key, row | {"email": None, "pincode": "560001", "district": None})
    await apply(unit, claim, log.records)
    values = golden(target)[NUMBER][2]
    assert (values["email"], values["full_name"], values["pincode"], values["district_id"]) == ("e", "n", "560001", 1)
    assert reviews(target) == {("new_record", None, NUMBER), ("unknown_district", key, NUMBER)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("together", [True, False], ids=["one chunk", "two chunks"])
async def test_numbers_swapped_in_one_transaction_arrive_in_either_order(unit, claim, target, log, order, together):
    (one, first), (two, second) = _citizen(NUMBER, full_name="one"), _citizen(OTHER, full_name="two")
    log.change(10, one, first)
    log.change(11, two, second)
    swapped = [(20, one, first | {"aadhaar_number": OTHER}), (21, two, second | {"aadhaar_number": NUMBER})]
    for place in order:
        log.change(*swapped[place])
    for part in [log.records] if together else [log.records[:3], log.records[3:]]:
        await apply(unit, claim, part)
    assert {number: values["full_name"] for number, (_, _, values) in golden(target).items()} == {NUMBER: "two", OTHER: "one"}
    assert links(target) == {one: OTHER, two: NUMBER}
    made = {("new_record", None, NUMBER), ("new_record", None, OTHER)}
    assert reviews(target) == made | {("number_changed", one, NUMBER), ("number_changed", two, OTHER)}


async def test_a_changed_number_makes_the_new_record_and_leaves_the_old_one_to_review(unit, claim, target, log):
    key, row = _citizen(NUMBER, full_name="n")
    log.change(10, key, row)
    await apply(unit, claim, log.records)
    log.change(20, key, row | {"aadhaar_number": OTHER})
    await apply(unit, claim, log.records[1:])
    assert golden(target).keys() == {NUMBER, OTHER}
    assert links(target) == {key: OTHER}
    assert ("number_changed", key, NUMBER) in reviews(target)


@pytest.mark.parametrize("together", [True, False], ids=["one chunk", "four chunks"])
async def test_a_delete_or_an_unverified_citizen_leaves_the_record_and_is_counted_as_filtered(unit, claim, target, log, together):
    key, row = _citizen(NUMBER, full_name="n")
    log.change(10, key, row)
    log.change(20, key, row | {"verification_status": "REJECTED", "full_name": "not verified"})
    log.change(30, key, None)
    log.change(25, key, row | {"full_name": "an old one that comes late"})
    for part in [log.records] if together else [[record] for record in log.records]:
        await apply(unit, claim, part)
    assert golden(target)[NUMBER][2]["full_name"] == "n"
    assert counts(target) == (4, 1, 1, 2, 0)


async def test_a_snapshot_makes_records_and_takes_older_ones_over_but_never_goes_behind_what_is_ours(unit, claim, target, log):
    (_, known), (_, unknown) = _citizen(NUMBER, full_name="known", updated_at=at(9)), _citizen(OTHER, full_name="unknown")
    add_foreign(target, NUMBER, 2, full_name="of the etl")
    for row in (known, unknown):
        log.change(900, row["id"], row, op="r")
    log.change(20, known["id"], known | {"full_name": "newer", "updated_at": at(1)})
    log.change(950, known["id"], known, op="r")
    await apply(unit, claim, log.records)
    assert {number: values["full_name"] for number, (_, _, values) in golden(target).items()} == {
        NUMBER: "newer",
        OTHER: "unknown",
    }


async def test_somebody_verified_without_a_number_becomes_a_dead_letter_that_a_good_version_closes(unit, claim, target, log):
    key, row = _citizen(None, full_name="n")
    log.change(10, key, row)
    await apply(unit, claim, log.records)
    letter = target.execute("SELECT status, reason, detail, row_key FROM sync.dead_letter").fetchone()
    assert letter == ("open", "missing_field", "`aadhaar_number` is missing in a row that counts", key)
    log.change(20, key, row | {"verification_status": "PENDING"})
    await apply(unit, claim, log.records[1:])
    assert target.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]
    assert counts(target) == (2, 0, 0, 1, 1)


async def test_a_good_version_behind_a_bad_one_in_the_same_chunk_closes_its_letter(unit, claim, target, log):
    key, row = _citizen(NUMBER)
    log.change(10, key, row | {"aadhaar_number": None})
    log.change(20, key, row)
    log.change(30, key, row | {"aadhaar_number": None})
    await apply(unit, claim, log.records[:2])
    assert target.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]
    await apply(unit, claim, log.records[2:])
    assert target.execute("SELECT status FROM sync.dead_letter ORDER BY id").fetchall() == [("closed",), ("open",)]


async def test_a_row_that_the_database_refuses_is_found_and_no_letter_shows_what_it_says(unit, claim, target, log):
    target.execute("ALTER TABLE public.golden_records ADD CONSTRAINT no_bad CHECK (email <> 'refused@example.org')")
    rows = [_citizen(f"{number:012}", email=f"{number}@example.org") for number in range(20)]
    rows[13][1]["email"] = "refused@example.org"
    for place, (key, row) in enumerate(rows):
        log.change(10 + place, key, row)
    await apply(unit, claim, log.records)
    assert len(golden(target)) == 19
    found = target.execute('SELECT "offset", reason, detail, row_key FROM sync.dead_letter').fetchall()
    detail = "CHECK_VIOLATION (23514) table golden_records constraint no_bad"
    assert found == [(13, "refused_by_database", detail, rows[13][0])]
    target.execute("ALTER TABLE public.golden_records DROP CONSTRAINT no_bad")
    (letter,) = target.execute("UPDATE sync.dead_letter SET status = 'replayed' RETURNING id").fetchone()
    commands = CitizenLog(topic=FLOW.command_topic)
    commands.raw(log.records[13].value, log.records[13].key, [(REPLAY_HEADER, str(letter).encode())])
    await apply(unit, await claimed(unit, topic=FLOW.command_topic), commands.records)
    assert len(golden(target)) == 20
    assert target.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]


async def test_an_old_fencing_token_writes_nothing(unit, claim, target, log):
    log.change(10, *_citizen(NUMBER))
    await claimed(unit, owner="heir")
    with pytest.raises(LostOwnership):
        await apply(unit, claim, log.records)
    assert golden(target) == {}


async def test_a_truncate_stops_the_flow(unit, claim, target, log):
    log.raw(b'{"op": "t", "source": {"lsn": 10, "ts_us": 0}}', None)
    with pytest.raises(FlowMustStop, match="truncate"):
        await apply(unit, claim, log.records)


async def test_a_unit_of_work_that_dies_at_any_await_leaves_nothing_half_done(make_unit, target):
    portal, people, log = Portal(seed=5), People(), CitizenLog()
    turns, finished = 0, False
    while not finished:
        turns += 1
        done = len(portal.changes)
        while len(portal.changes) < done + 4:
            portal.act()
        for change in portal.changes[done:]:
            log.change(*change)
            people.change(change[2])
        part = log.records[done:]
        dying, heir = make_unit(), make_unit()
        finished = await die_after(turns, apply(dying, await claimed(dying, owner="dying"), part))
        await apply(heir, await claimed(heir, owner="heir"), part)
        assert_as_the_oracle_says(target, people)
        assert counts(target)[0] == len(log.records)
        await dying.pool.close()
        await heir.pool.close()
    assert turns > 3
