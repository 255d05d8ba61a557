"""Schemes, feedback and user behaviour on both real databases, against an oracle in Python."""

import asyncio
import json
import random
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Json

from batch_timers import aggregate
from batch_timers.aggregate import Aggregate
from batch_timers.failures import Refused
from batch_timers.interface import Around
from batch_timers.new_rows import NewRows
from batch_timers.refresh import Refresh
from flows.batch_registry import all_flows_into
from flows.feedback import FEEDBACK
from flows.scheme_master import SCHEME_MASTER
from flows.tables import Database
from flows.user_behavior import USER_BEHAVIOR
from sinks import aggregate_rows, new_rows
from sinks.person_links import LOCK_EXCLUSIVE, linking_statement
from sinks.pool import Pool
from tests.integration.batch_timers.conftest import session_of
from tests.oracle import batches as oracle
from tests.oracle.batches import UserEvent

TEXTS = ["", "a", "ರಾಮ", 'quote " and \\ back', "line\nbreak", "👩🏽‍🌾 x", None]
DOCUMENTS = [None, {}, {"b": 1, "a": [1, "ರ"]}, [], "text", {"n": 12345678901234567890}]
NOW = datetime.now(UTC)


def rows_of(connection, statement, parameters=()):
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, parameters).fetchall()


class Schemes:
    """Random master rows."""

    def __init__(self, warehouse, seed=1):
        self._warehouse = warehouse
        self._random = random.Random(seed)

    def upsert(self, code, status=None, identity=None):
        draw = self._random.choice
        values = (
            identity or uuid.UUID(int=self._random.getrandbits(128)), code, draw(TEXTS) or "name", draw(TEXTS), draw(TEXTS),
            draw(TEXTS), Json(draw(DOCUMENTS)), Json(draw(DOCUMENTS)), Json(draw(DOCUMENTS)),
            status or draw(["ACTIVE", "ACTIVE", "INACTIVE", "DRAFT"]),
            NOW - timedelta(seconds=self._random.randrange(10**6), microseconds=self._random.randrange(10**6)),
        )  # fmt: skip
        self._warehouse.execute(
            "INSERT INTO eligibility.scheme_master VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (scheme_code) DO UPDATE SET scheme_name = excluded.scheme_name, description = excluded.description,"
            " eligibility_criteria = excluded.eligibility_criteria, status = excluded.status, updated_at = excluded.updated_at",
            values,
        )


def master(warehouse):
    return rows_of(warehouse, "SELECT * FROM eligibility.scheme_master")


def portal(citizen):
    return rows_of(citizen, "SELECT * FROM public.schemes")


def by_code(rows):
    return {row["code"]: row for row in rows}


async def test_schemes_follow_random_changes_of_the_master_table(jobs, warehouse, citizen):
    source, draw = Schemes(warehouse), random.Random(2)
    job, before = Refresh(SCHEME_MASTER), []
    for _ in range(6):
        for _ in range(30):
            source.upsert(f"S{draw.randrange(40)}")
        warehouse.execute("DELETE FROM eligibility.scheme_master WHERE scheme_code = %s", (f"S{draw.randrange(40)}",))
        line = await jobs.run(job)
        assert line["state"] == "succeeded"
        assert by_code(portal(citizen)) == oracle.schemes(master(warehouse), before)
        before = portal(citizen)


async def test_a_second_refresh_rewrites_no_row(jobs, warehouse, citizen):
    source = Schemes(warehouse)
    for number in range(50):
        source.upsert(f"S{number}")
    first = await jobs.run(Refresh(SCHEME_MASTER))
    places = citizen.execute("SELECT ctid, xmin FROM public.schemes ORDER BY code").fetchall()
    second = await jobs.run(Refresh(SCHEME_MASTER))
    assert citizen.execute("SELECT ctid, xmin FROM public.schemes ORDER BY code").fetchall() == places
    assert first["rows_written"] == second["rows_unchanged"] == len(places) > 20
    assert second["rows_written"] == 0


async def test_a_scheme_that_is_no_longer_active_is_retired_and_keeps_its_id_when_it_returns(jobs, warehouse, citizen):
    source = Schemes(warehouse)
    source.upsert("A", "ACTIVE")
    source.upsert("B", "ACTIVE")
    await jobs.run(Refresh(SCHEME_MASTER))
    known = by_code(portal(citizen))["A"]["id"]
    warehouse.execute("DELETE FROM eligibility.scheme_master WHERE scheme_code = 'A'")
    await jobs.run(Refresh(SCHEME_MASTER))
    assert by_code(portal(citizen))["A"]["status"] == "INACTIVE"
    source.upsert("A", "ACTIVE")  # with another scheme_id
    await jobs.run(Refresh(SCHEME_MASTER))
    again = by_code(portal(citizen))["A"]
    assert (again["id"], again["status"]) == (known, "ACTIVE")


async def test_a_scheme_with_a_new_code_leaves_its_id_to_the_old_one(jobs, warehouse, citizen):
    identity = uuid.uuid4()
    Schemes(warehouse).upsert("OLD", "ACTIVE", identity)
    await jobs.run(Refresh(SCHEME_MASTER))
    warehouse.execute("UPDATE eligibility.scheme_master SET scheme_code = 'NEW'")
    await jobs.run(Refresh(SCHEME_MASTER))
    first = by_code(portal(citizen))
    assert (first["OLD"]["id"], first["OLD"]["status"], first["NEW"]["status"]) == (identity, "INACTIVE", "ACTIVE")
    await jobs.run(Refresh(SCHEME_MASTER))
    assert by_code(portal(citizen)) == first


async def test_readers_see_all_of_a_refresh_or_nothing(jobs, warehouse, citizen, migrated):
    source = Schemes(warehouse)
    for number in range(40):
        source.upsert(f"OLD{number}", "ACTIVE")
    await jobs.run(Refresh(SCHEME_MASTER))
    warehouse.execute("UPDATE eligibility.scheme_master SET scheme_name = 'refreshed', scheme_code = 'N' || scheme_code")
    runner = jobs.propose(Refresh(SCHEME_MASTER))
    await runner.look()
    seen = set()
    while runner.busy:
        seen.add(citizen.execute("SELECT count(*) FROM public.schemes WHERE status = 'ACTIVE'").fetchone())
        await asyncio.sleep(0)
    await runner._target.close()
    assert seen == {(40,)}
    assert {row["name"] for row in portal(citizen) if row["status"] == "ACTIVE"} == {"refreshed"}


async def test_an_empty_master_table_retires_nothing_unless_it_is_meant(jobs, warehouse, citizen, migrated):
    Schemes(warehouse).upsert("A", "ACTIVE")
    await jobs.run(Refresh(SCHEME_MASTER))
    warehouse.execute("TRUNCATE eligibility.scheme_master")
    around = Around(Pool(migrated.warehouse), Pool(migrated.citizen), NOW, None, {}, forced=False, fence_wait=5)
    with pytest.raises(Refused, match=r"eligibility.scheme_master is empty, .* jobs run scheme_master --force"):
        await anext(Refresh(SCHEME_MASTER).chunks(around))
    await around.source.close()
    await around.target.close()
    assert by_code(portal(citizen))["A"]["status"] == "ACTIVE"
    await jobs.run(Refresh(SCHEME_MASTER))  # by hand and forced, as this helper does
    assert by_code(portal(citizen))["A"]["status"] == "INACTIVE"


# -- feedback ---------------------------------------------------------------------------------------------------------


class Portal:
    """Adds feedback and events."""

    def __init__(self, citizen, seed=3):
        self._citizen = citizen
        self.random = random.Random(seed)
        self.people = [self.uuid() for _ in range(8)]
        self.schemes = [self.uuid() for _ in range(4)]

    def uuid(self):
        return uuid.UUID(int=self.random.getrandbits(128))

    def feedback(self, count=1, created=None, connection=None):
        draw = self.random.choice
        for _ in range(count):
            (connection or self._citizen).execute(
                "INSERT INTO public.feedback VALUES (%s, %s, %s, %s, %s, %s, coalesce(%s, now()))",
                (
                    self.uuid(),
                    draw(self.people),
                    draw([*self.schemes, None]),
                    draw(TEXTS),
                    draw([1, 5, None]),
                    draw(TEXTS),
                    created,
                ),
            )

    def event(self, count=1, created=None, connection=None, within=timedelta(days=4)):
        draw = self.random.choice
        for _ in range(count):
            occurred = NOW - timedelta(microseconds=self.random.randrange(int(within.total_seconds() * 1e6)))
            (connection or self._citizen).execute(
                "INSERT INTO public.user_events VALUES (%s, %s, %s, %s, %s, NULL, coalesce(%s, now()))",
                (self.uuid(), draw(self.people), draw(["view", "click", "ಹುಡುಕು"]), occurred, draw([None, 0, 5, 10**9]), created),
            )


@pytest.fixture
def source(citizen):
    return Portal(citizen)


def expected_feedback(citizen, warehouse):
    codes = dict(warehouse.execute("SELECT scheme_id, scheme_code FROM sync.scheme_map").fetchall())
    return oracle.feedback(rows_of(citizen, "SELECT * FROM public.feedback"), codes)


def standing_feedback(warehouse):
    rows = warehouse.execute(
        "SELECT feedback_id, citizen_id, scheme_code, feedback_type, rating, comment, created_at"
        " FROM analytics.feedback_analytics"
    )
    return {row[0]: row[1:] for row in rows}


def map_schemes(warehouse, source, codes):
    for identity, code in zip(source.schemes, codes, strict=False):
        warehouse.execute("INSERT INTO sync.scheme_map VALUES (%s, %s) ON CONFLICT DO NOTHING", (identity, code))


async def test_each_run_takes_the_feedback_that_is_new_and_a_second_one_writes_nothing(jobs, source, warehouse, citizen):
    map_schemes(warehouse, source, ["A", "B", "C", "D"])
    source.feedback(30, NOW - timedelta(days=200))
    source.feedback(30)
    first = await jobs.run(NewRows(FEEDBACK))
    assert standing_feedback(warehouse) == expected_feedback(citizen, warehouse)
    source.feedback(10)
    second = await jobs.run(NewRows(FEEDBACK))
    third = await jobs.run(NewRows(FEEDBACK))
    assert standing_feedback(warehouse) == expected_feedback(citizen, warehouse)
    assert [line["rows_written"] for line in (first, second, third)] == [60, 10, 0]
    assert second["rows_read"] == 40  # the 30 of a day before are read again, what is older is not


async def test_many_pages_are_one_run(jobs, source, warehouse, citizen, monkeypatch):
    monkeypatch.setattr(new_rows, "PAGE_ROWS", 7)
    whole = (NOW - timedelta(hours=1)).replace(microsecond=0)
    for fraction in (0, 90_000, 100_000, 500_000):  # of one moment the key decides; as text the moments would be in another order
        source.feedback(10, whole + timedelta(microseconds=fraction))
    line = await jobs.run(NewRows(FEEDBACK))
    assert standing_feedback(warehouse) == expected_feedback(citizen, warehouse)
    assert (line["chunks"], line["rows_written"], line["rows_expected"]) == (8, 40, 40)


async def test_a_row_that_commits_after_the_run_and_was_created_before_is_taken_by_the_next(
    jobs, source, warehouse, citizen, session_of_portal
):
    source.feedback(5)
    late = session_of_portal()
    late.execute("BEGIN")
    source.feedback(1, connection=late)
    first = await jobs.run(NewRows(FEEDBACK), fence_wait=0)
    assert (first["state"], first["rows_written"]) == ("succeeded", 5)
    assert warehouse.execute("SELECT count(*) FROM sync.watermark").fetchone() == (0,)  # it stands while that is open
    source.feedback(3)
    late.execute("COMMIT")
    await jobs.run(NewRows(FEEDBACK))
    assert standing_feedback(warehouse) == expected_feedback(citizen, warehouse)
    assert warehouse.execute("SELECT count(*) FROM sync.watermark").fetchone() == (1,)


async def test_the_run_waits_for_transactions_that_began_before_it(jobs, source, warehouse, citizen, session_of_portal):
    late = session_of_portal()
    late.execute("BEGIN")
    source.feedback(1, connection=late)
    runner = jobs.propose(NewRows(FEEDBACK), fence_wait=30)
    await runner.look()
    await asyncio.sleep(0.3)
    assert runner.busy
    late.execute("COMMIT")
    await runner.finished()
    await runner._target.close()
    assert standing_feedback(warehouse) == expected_feedback(citizen, warehouse) != {}


async def test_the_code_of_a_scheme_that_is_not_known_yet_is_filled_in_by_a_later_run(jobs, source, warehouse, citizen):
    source.feedback(40)
    await jobs.run(NewRows(FEEDBACK))
    assert {row[1] for row in standing_feedback(warehouse).values()} == {None}
    map_schemes(warehouse, source, ["A", "B"])
    citizen.execute("UPDATE public.feedback SET created_at = created_at - interval '3 days'")  # not read again
    warehouse.execute("UPDATE analytics.feedback_analytics SET created_at = created_at - interval '3 days'")
    line = await jobs.run(NewRows(FEEDBACK))
    assert standing_feedback(warehouse) == expected_feedback(citizen, warehouse)
    assert line["rows_written"] == sum(row[1] is not None for row in standing_feedback(warehouse).values()) > 5
    map_schemes(warehouse, source, ["A", "B", "C", "D"])
    await jobs.run(NewRows(FEEDBACK))
    assert standing_feedback(warehouse) == expected_feedback(citizen, warehouse)
    assert warehouse.execute("SELECT count(*) FROM sync.unresolved").fetchone() == (0,)


async def test_rows_of_linked_citizens_carry_the_golden_record_and_others_are_noted(jobs, source, warehouse):
    linked, golden = source.people[0], uuid.uuid4()
    warehouse.execute("INSERT INTO sync.person_link VALUES (%s, %s)", (linked, golden))
    source.feedback(30)
    source.event(60)
    await jobs.run(NewRows(FEEDBACK))
    await jobs.run(Aggregate(USER_BEHAVIOR))
    for table in ("analytics.feedback_analytics", "analytics.user_behavior"):
        found = warehouse.execute(f"SELECT DISTINCT citizen_id, gr_id FROM {table}").fetchall()
        assert {(citizen, golden if citizen == linked else None) for citizen, _ in found} == set(found)
        assert (linked, golden) in found
    noted = warehouse.execute("SELECT DISTINCT citizen_id FROM sync.unlinked WHERE flow = 'user_behavior'").fetchall()
    assert {citizen for (citizen,) in noted} == set(source.people) - {linked}


async def test_noted_rows_get_their_golden_record_when_there_is_one(jobs, source, warehouse, migrated):
    source.feedback(30)
    source.event(60)
    await jobs.run(NewRows(FEEDBACK))
    await jobs.run(Aggregate(USER_BEHAVIOR))
    golden = {citizen: str(uuid.uuid4()) for citizen in source.people}
    links = json.dumps([{"citizen_id": str(citizen), "gr_id": gr_id} for citizen, gr_id in golden.items()])
    async with session_of(migrated.warehouse) as session:
        await session.run(LOCK_EXCLUSIVE + linking_statement(all_flows_into(Database.WAREHOUSE)), {"links": links})
    for table in ("analytics.feedback_analytics", "analytics.user_behavior"):
        found = warehouse.execute(f"SELECT DISTINCT citizen_id, gr_id::text FROM {table}").fetchall()
        assert found
        assert dict(found).items() <= golden.items()
    assert warehouse.execute("SELECT count(*) FROM sync.unlinked").fetchone() == (0,)


# -- user behaviour ---------------------------------------------------------------------------------------------------


def expected_behavior(citizen):
    rows = citizen.execute("SELECT citizen_id, event_type, occurred_at, duration_ms FROM public.user_events")
    return oracle.user_behavior(UserEvent(*row) for row in rows)


def standing_behavior(warehouse):
    rows = warehouse.execute(
        "SELECT citizen_id, event_type, activity_date, event_count, total_duration_ms, first_at, last_at"
        " FROM analytics.user_behavior"
    )
    return {row[:3]: row[3:] for row in rows}


async def test_groups_equal_the_oracle_and_rows_that_come_late_are_counted_once(jobs, source, warehouse, citizen):
    source.event(300)
    first = await jobs.run(Aggregate(USER_BEHAVIOR))
    assert standing_behavior(warehouse) == expected_behavior(citizen)
    citizen.execute("UPDATE public.user_events SET created_at = created_at - interval '2 days'")
    source.event(20)  # of the last four days, created now
    second = await jobs.run(Aggregate(USER_BEHAVIOR))
    third = await jobs.run(Aggregate(USER_BEHAVIOR))
    assert standing_behavior(warehouse) == expected_behavior(citizen)
    assert first["rows_written"] == first["rows_read"] > 50
    assert 0 < second["rows_written"] == second["rows_read"] <= 20
    assert third["rows_written"] == 0


@pytest.mark.parametrize("seconds", [-1, 0, 1])
async def test_the_day_is_that_of_india(jobs, warehouse, citizen, seconds):
    midnight = datetime(2026, 3, 3, 18, 30, tzinfo=UTC)
    citizen.execute(
        "INSERT INTO public.user_events VALUES (%s, %s, 'view', %s, 1, NULL, now())",
        (uuid.uuid4(), uuid.uuid4(), midnight + timedelta(seconds=seconds)),
    )
    await jobs.run(Aggregate(USER_BEHAVIOR))
    assert [day for _, _, day in standing_behavior(warehouse)] == [date(2026, 3, 4 if seconds >= 0 else 3)]


async def test_a_run_that_is_broken_off_goes_on_behind_its_last_page(jobs, source, warehouse, citizen, monkeypatch):
    monkeypatch.setattr(aggregate_rows, "PAGE_GROUPS", 6)
    source.event(200)
    runner = jobs.propose(Aggregate(USER_BEHAVIOR))
    write, written = aggregate.Groups.write, []

    async def failing(self, session):
        if len(written) == 3:
            written.append(None)
            raise ConnectionError("the line broke")
        counts = await write(self, session)
        written.append(counts.written)
        return counts

    monkeypatch.setattr(aggregate.Groups, "write", failing)
    await runner.look()
    await runner.finished()
    assert jobs.line(Aggregate(USER_BEHAVIOR))["rows_written"] == 18
    warehouse.execute("UPDATE sync.job_run SET retry_at = now()")
    await runner.look()
    await runner.finished()
    await runner._target.close()
    assert standing_behavior(warehouse) == expected_behavior(citizen)
    assert jobs.line(Aggregate(USER_BEHAVIOR))["rows_written"] == len(expected_behavior(citizen))


async def test_chosen_days_are_computed_again_and_leave_the_watermark_alone(jobs, source, warehouse, citizen):
    source.event(200)
    await jobs.run(Aggregate(USER_BEHAVIOR))
    mark = warehouse.execute("SELECT taken FROM sync.watermark").fetchone()
    warehouse.execute("UPDATE analytics.user_behavior SET event_count = 0")
    days = sorted({day for _, _, day in expected_behavior(citizen)})[:2]
    citizen.execute("UPDATE public.user_events SET created_at = created_at - interval '90 days'")
    line = await jobs.run(Aggregate(USER_BEHAVIOR), parameters={"days": [day.isoformat() for day in days]})
    expected = expected_behavior(citizen)
    standing = standing_behavior(warehouse)
    assert {group: row for group, row in standing.items() if group[2] in days} == {
        group: row for group, row in expected.items() if group[2] in days
    }
    assert {row[0] for group, row in standing.items() if group[2] not in days} == {0}
    assert line["rows_written"] == sum(group[2] in days for group in expected)
    assert warehouse.execute("SELECT taken FROM sync.watermark").fetchone() == mark
