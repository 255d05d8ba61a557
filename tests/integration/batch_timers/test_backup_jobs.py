"""Jobs that back up event flows, on both real databases, against the oracles of the event path."""

import asyncio
import json
import random
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from app.backups import event_path
from batch_timers import backup, backup_parts, events_through
from batch_timers.backup import Backup
from batch_timers.backup_pages import Page
from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY
from sinks import ledger
from sinks.pool import Pool
from streams.summary import SummaryWriter
from streams.summary_moves import Moves
from tests.support.databases import administrators
from tests.support.flow_oracles import compare_rows

NOW = datetime.now(UTC)
TEXTS = ["", "a", "ರಾಮ", 'quote " and \\ back', "line\nbreak", "👩🏽‍🌾 x", None]


class World:
    """Golden records and profiles of a few families, which change at random."""

    def __init__(self, warehouse, citizen, seed=1):
        self.warehouse, self.citizen = warehouse, citizen
        self.random = random.Random(seed)
        self.families = [self.uuid() for _ in range(6)]
        self.people = [self.uuid() for _ in range(25)]

    def uuid(self):
        return uuid.UUID(int=self.random.getrandbits(128))

    def moment(self, within=timedelta(hours=20)):
        return NOW - timedelta(microseconds=self.random.randrange(int(within.total_seconds() * 1e6)))

    def golden(self, gr_id, **values):
        draw = self.random.choice
        row = {
            "gr_id": gr_id, "family_id": draw([*self.families, None]), "jan_aadhaar": f"{self.random.randrange(10**12):012}",
            "full_name": draw(TEXTS), "date_of_birth": draw([None, date(1950, 1, 1), date(2020, 12, 31)]), "gender": draw(TEXTS),
            "district_id": None, "city_village": draw(TEXTS), "updated_at": self.moment(),
        }  # fmt: skip
        upsert(self.warehouse, "public.golden_records", "gr_id", row | values)

    def profile(self, number, **values):
        draw = self.random.choice
        row = {
            "profile_id": number, "gr_id": draw(self.people), "vulnerability_level": draw([None, "HIGH", "LOW"]),
            "under_coverage_indicator": draw([None, True, False]), "cluster_id": draw([None, "north"]),
            "updated_at": NOW - timedelta(minutes=self.random.randrange(30)),
        }  # fmt: skip
        upsert(self.warehouse, "public.profile_360", "profile_id", row | values)

    def everybody(self):
        for person in self.people[:-5]:  # some profiles have no golden record
            self.golden(person)
        for number in range(1, 61):
            self.profile(number)


def upsert(connection, table, key, row):
    names = ", ".join(row)
    sets = ", ".join(f"{name} = excluded.{name}" for name in row)
    statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(row))}) ON CONFLICT ({key}) DO UPDATE SET {sets}"
    connection.execute(statement, list(row.values()))


@pytest.fixture
def world(migrated, warehouse, citizen):
    return World(warehouse, citizen)


@pytest.fixture
async def make_job(migrated):
    pools = []

    def make(name, events_wait=0.0):
        flow = next(flow for flow in (GOLDEN_RECORDS, PROFILE_SUMMARY) if name in [each.job for each in flow.schedules])
        schedule = next(each for each in flow.schedules if each.job == name)
        pools.append(Pool(migrated.citizen))
        return Backup(schedule, event_path(flow), pools[-1], events_wait)

    yield make
    for pool in pools:
        await pool.close()


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(backup_parts, "PAGE_ROWS", 7)
    monkeypatch.setattr(backup_parts, "WRITTEN_PAGES", 2)


@pytest.fixture
def events_are_through(monkeypatch, citizen):
    """As if the connector were there and every partition were at the end of its log."""

    async def published(*_):
        return True

    monkeypatch.setattr(events_through.event_progress, "published", published)
    partitions = [
        {"flow": flow.name, "topic": flow.topic, "partition": number, "state": "open", "lag_records": 0, "lag_seconds": 0.0}
        for flow in (GOLDEN_RECORDS, PROFILE_SUMMARY)
        for number in range(flow.partitions)
    ]
    citizen.execute(
        "INSERT INTO sync.worker VALUES ('w', now(), now() + interval '1 hour', NULL, %s)",
        (json.dumps({"partitions": partitions}),),
    )


def tuples(connection, *tables):
    """Where every row stands: a row that was rewritten stands elsewhere."""
    return [connection.execute(f"SELECT ctid, xmin FROM {table} ORDER BY ctid").fetchall() for table in tables]


def missed(citizen):
    return dict(citizen.execute("SELECT key, what FROM sync.job_missed").fetchall())


async def test_golden_records_equal_the_oracle_and_a_second_run_rewrites_nothing(jobs, world, make_job, small_pages):
    world.everybody()
    job = make_job("golden_records_daily")
    first = await jobs.run(job)
    assert compare_rows("golden_records", world.warehouse, world.citizen).equal
    places = tuples(world.citizen, "public.profile_data", "sync.row_version")
    second = await jobs.run(job)
    assert tuples(world.citizen, "public.profile_data", "sync.row_version") == places
    assert (first["state"], first["rows_written"]) == ("succeeded", 20)
    assert (second["state"], second["rows_written"], second["rows_unchanged"]) == ("succeeded", 0, 20)


async def test_what_events_have_missed_is_put_right_and_listed(jobs, world, make_job, events_are_through):
    world.everybody()
    job = make_job("golden_records_daily", events_wait=10)
    await jobs.run(job)
    world.citizen.execute("DELETE FROM sync.job_missed")
    lost, changed = world.people[0], world.people[1]
    world.citizen.execute("DELETE FROM public.profile_data WHERE record_id = %s", (lost,))
    world.citizen.execute("UPDATE public.profile_data SET city = 'elsewhere' WHERE record_id = %s", (changed,))
    # The rows stand as of an older version: nothing newer has come.
    world.citizen.execute("UPDATE sync.row_version SET lsn = 1")
    line = await jobs.run(job)
    assert compare_rows("golden_records", world.warehouse, world.citizen).equal
    assert missed(world.citizen) == {str(lost): "written", str(changed): "written"}
    assert (line["rows_missed"], line["rows_written"]) == (2, 2)


async def test_while_events_are_not_known_to_be_through_nothing_is_called_missed(jobs, world, make_job):
    world.everybody()
    line = await jobs.run(make_job("golden_records_daily"))
    assert (line["rows_written"], line["rows_missed"]) == (20, 0)


async def test_a_batch_overwrites_nothing_newer_and_makes_nothing_newer_look_stale(jobs, world, make_job):
    world.everybody()
    job = make_job("golden_records_daily")
    await jobs.run(job)
    newer = world.people[0]
    world.citizen.execute("UPDATE public.profile_data SET city = 'newer' WHERE record_id = %s", (newer,))
    world.citizen.execute("UPDATE sync.row_version SET lsn = 9000000000000 WHERE key = %s", (str(newer),))
    line = await jobs.run(job)
    assert world.citizen.execute("SELECT city FROM public.profile_data WHERE record_id = %s", (newer,)).fetchone() == ("newer",)
    assert (line["rows_written"], line["rows_skipped"]) == (0, 1)
    (log_end,) = world.warehouse.execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint").fetchone()
    (highest,) = world.citizen.execute("SELECT max(lsn) FROM sync.row_version WHERE key <> %s", (str(newer),)).fetchone()
    assert 0 < highest <= log_end


async def test_an_update_between_page_and_write_has_a_greater_position_than_the_row_that_was_written(
    jobs, world, make_job, monkeypatch
):
    world.everybody()
    person = world.people[0]
    wanted, positions = Page.write, []

    async def write(self, session):
        if not positions:
            (position,) = world.warehouse.execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint").fetchone()
            positions.append(position)
            world.golden(person, city_village="changed meanwhile")
        return await wanted(self, session)

    monkeypatch.setattr(Page, "write", write)
    await jobs.run(make_job("golden_records_daily"))
    (version,) = world.citizen.execute("SELECT lsn FROM sync.row_version WHERE key = %s", (str(person),)).fetchone()
    assert version <= positions[0]


async def test_a_row_of_a_transaction_that_began_behind_the_fence_is_left_to_its_events(jobs, world, make_job, monkeypatch):
    world.everybody()
    fenced, person = backup.fenced_read, world.people[0]

    def between(pool, flow, *, wait):
        return _Between(fenced(pool, flow, wait=wait))

    class _Between:
        """Changes a row and says that the fence was set before."""

        def __init__(self, inner):
            self._inner = inner

        async def __aenter__(self):
            (before,) = world.warehouse.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchone()
            world.golden(person, city_village="behind the fence")
            read = await self._inner.__aenter__()
            read.later |= {"fence": before, "later": read.later["fence"] - before + read.later["later"]}
            return read

        async def __aexit__(self, *error):
            return await self._inner.__aexit__(*error)

    monkeypatch.setattr(backup, "fenced_read", between)
    line = await jobs.run(make_job("golden_records_daily"))
    assert (line["rows_written"], line["rows_skipped"]) == (19, 1)
    assert world.citizen.execute("SELECT FROM public.profile_data WHERE record_id = %s", (person,)).fetchone() is None


async def test_an_open_transaction_of_the_source_is_waited_for_and_then_named(jobs, world, make_job, migrated):
    world.everybody()
    with administrators(migrated)[0].connect() as late:
        late.execute("BEGIN")
        late.execute("UPDATE public.golden_records SET city_village = 'late' WHERE gr_id = %s", (world.people[0],))
        line = await jobs.run(make_job("golden_records_daily"), fence_wait=0)
        assert line["state"] == "scheduled"  # to be tried again
        assert "has been open in the source for more than 0 s; see pg_stat_activity" in line["reason"]
        late.execute("COMMIT")
    await jobs.run(make_job("golden_records_daily"))
    assert compare_rows("golden_records", world.warehouse, world.citizen).equal


async def test_a_run_reads_what_has_changed_since_the_last_good_one_and_at_least_a_day(jobs, world, make_job):
    for person in world.people[:10]:
        world.golden(person, updated_at=NOW - timedelta(days=10))
    job = make_job("golden_records_daily")
    await jobs.run(job)  # the first reads everything
    for person in world.people[10:13]:
        world.golden(person, updated_at=NOW - timedelta(hours=23))
    assert (await jobs.run(job))["rows_read"] == 3
    world.citizen.execute("UPDATE sync.watermark SET taken = now() - interval '11 days'")  # days of failure
    assert (await jobs.run(job))["rows_read"] == 13


async def test_a_bad_row_is_counted_and_named_and_what_stands_for_it_stays(jobs, world, make_job, caplog):
    world.everybody()
    job = make_job("golden_records_daily")
    await jobs.run(job)
    world.warehouse.execute("UPDATE public.golden_records SET date_of_birth = 'infinity' WHERE gr_id = %s", (world.people[0],))
    before = tuples(world.citizen, "public.profile_data")
    line = await jobs.run(job)
    assert (line["state"], line["rows_failed"], line["rows_written"]) == ("succeeded", 1, 0)
    assert tuples(world.citizen, "public.profile_data") == before
    assert f"golden_records_daily: row {world.people[0]} stays as it was: out_of_range" in caplog.text
    assert "`$.date_of_birth`" in caplog.text
    assert "infinity" not in caplog.text


async def test_a_bad_row_keeps_no_other_of_its_page_back(jobs, world, make_job):
    world.everybody()
    world.warehouse.execute("UPDATE public.golden_records SET updated_at = 'infinity' WHERE gr_id = %s", (world.people[0],))
    line = await jobs.run(make_job("golden_records_daily"))
    assert (line["state"], line["rows_failed"], line["rows_written"], line["rows_read"]) == ("succeeded", 1, 19, 20)


@pytest.mark.parametrize("state", ["stopped", "paused"])
async def test_nothing_is_written_past_a_flow_that_does_not_run(jobs, world, make_job, state):
    world.everybody()
    world.citizen.execute("INSERT INTO sync.flow_state (flow, state, reason) VALUES ('golden_records', %s, 'why')", (state,))
    line = await jobs.run(make_job("golden_records_daily"))
    assert line["state"] == "scheduled"
    assert line["reason"] == f"the flow golden_records is {state}: why"
    assert world.citizen.execute("SELECT count(*) FROM public.profile_data").fetchone() == (0,)


# -- summaries --------------------------------------------------------------------------------------------------------


async def golden_first(jobs, world, make_job):
    world.everybody()
    await jobs.run(make_job("golden_records_daily"))


async def test_summaries_equal_the_oracle_and_a_second_full_run_rewrites_nothing(jobs, world, make_job, small_pages):
    await golden_first(jobs, world, make_job)
    job = make_job("profile_summary_full")
    first = await jobs.run(job)
    assert compare_rows("profile_summary", world.warehouse, world.citizen).equal
    tables = ("public.profile_summary", "sync.profile_member", "sync.row_version", "sync.family")
    places = tuples(world.citizen, *tables)
    second = await jobs.run(job)
    assert tuples(world.citizen, *tables) == places
    assert second["rows_written"] == 0
    assert second["rows_unchanged"] == first["rows_written"]
    assert first["rows_skipped"] == second["rows_skipped"] > 0  # profiles whose golden record is not there


async def test_a_full_run_puts_every_kind_of_damage_right(jobs, world, make_job, small_pages, events_are_through):
    await golden_first(jobs, world, make_job)
    job = make_job("profile_summary_full", events_wait=10)
    await jobs.run(job)
    citizen = world.citizen
    citizen.execute("UPDATE sync.row_version SET lsn = 1")
    citizen.execute("DELETE FROM sync.job_missed")
    changed, lost = (row[0] for row in citizen.execute("SELECT family_id FROM public.profile_summary ORDER BY 1 LIMIT 2"))
    stray = uuid.uuid4()
    citizen.execute("UPDATE public.profile_summary SET region = 'elsewhere' WHERE family_id = %s", (changed,))
    citizen.execute("DELETE FROM public.profile_summary WHERE family_id = %s", (lost,))
    citizen.execute("INSERT INTO public.profile_summary VALUES (%s, 'HIGH', true, 'CONFIDENTIAL', 'x', now())", (stray,))
    gone, newer, unknown = 1, 2, 3
    world.warehouse.execute("DELETE FROM public.profile_360 WHERE profile_id = %s", (gone,))
    world.profile(newer, gr_id=world.people[0], vulnerability_level="MEDIUM", updated_at=NOW)
    citizen.execute("DELETE FROM sync.profile_member WHERE profile_id = %s", (unknown,))
    line = await jobs.run(job)
    assert compare_rows("profile_summary", world.warehouse, citizen).equal
    found = missed(citizen)
    assert found.keys() >= {str(newer), f"family_id {stray}"}
    assert line["rows_missed"] == len(found)
    assert (await jobs.run(job))["rows_written"] == 0


async def test_the_hourly_run_reads_what_has_changed_since_the_last_one(jobs, world, make_job):
    await golden_first(jobs, world, make_job)
    job = make_job("profile_summary_hourly")
    await jobs.run(job)
    assert compare_rows("profile_summary", world.warehouse, world.citizen).equal
    world.warehouse.execute("UPDATE public.profile_360 SET updated_at = updated_at - interval '3 hours'")
    world.citizen.execute(  # as if that had come by events
        "UPDATE sync.profile_member SET updated_at = updated_at - interval '3 hours',"
        " content = content || jsonb_build_object('updated_at', (content ->> 'updated_at')::timestamptz - interval '3 hours')"
    )
    world.citizen.execute("UPDATE public.profile_summary SET updated_at = updated_at - interval '3 hours'")
    for number in (1, 2):
        world.profile(number, gr_id=world.people[number], updated_at=NOW)
    line = await jobs.run(job)
    assert line["rows_read"] == 2
    assert compare_rows("profile_summary", world.warehouse, world.citizen).equal


async def follow(settings):
    """What lanes of the profile flow do every second: members go where their golden records have gone."""
    pool = Pool(settings.citizen)
    flow = PROFILE_SUMMARY
    async with pool.session() as session:
        (claim,) = await ledger.claim(session, flow.name, "worker", [(flow.topic, 0, 0)])
    await Moves(flow, pool, SummaryWriter(flow)).run(claim)
    await pool.close()


async def test_random_changes_without_any_event_come_to_what_the_oracle_says(jobs, world, make_job, small_pages, migrated):
    world.everybody()
    for _ in range(5):
        await jobs.run(make_job("golden_records_daily"))
        await follow(migrated)
        await jobs.run(make_job("profile_summary_full"))
        assert compare_rows("golden_records", world.warehouse, world.citizen).equal
        assert compare_rows("profile_summary", world.warehouse, world.citizen).equal
        for _ in range(8):
            world.golden(world.random.choice(world.people[:-5]))
            world.profile(world.random.randrange(1, 70))
        world.warehouse.execute("DELETE FROM public.profile_360 WHERE profile_id = %s", (world.random.randrange(1, 70),))
        await asyncio.sleep(0)
