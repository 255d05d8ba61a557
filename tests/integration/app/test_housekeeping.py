"""What is long settled is forgotten, what somebody may still ask for stays."""

from datetime import timedelta

import psycopg
import pytest

from flows.tables import Database
from settings import Retention
from sinks import retention
from sinks.operations.connection import connect
from sinks.retention import BATCH, NEWEST

LETTER = """
    INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail, status, closed_at)
    SELECT 'f', 't', 0, n, 'r', 'd', %s, now() - %s FROM generate_series(%s::int, %s::int) AS n
    """
RUN = """
    INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, ended_at)
    SELECT %s, now() - %s - n * interval '1 hour', 'l', %s, now(), now() - %s - n * interval '1 hour'
    FROM generate_series(1, %s) AS n
    """
REPORT = """
    INSERT INTO sync.reconciliation (run, flow, repairs, state, problem, progress, updated_at)
    SELECT lpad((1000 - n)::text, 4, '0'), %s, true, %s, %s, '{}', now() - %s FROM generate_series(1, %s) AS n
    """
AUDIT = "INSERT INTO sync.audit (at, actor, action, subject) VALUES (now() - %s, 'a', 'b', 'c')"


@pytest.fixture
def forget(pools):
    async def run(kept=Retention(), database=Database.CITIZEN):  # noqa: B008 a frozen value
        async with pools[database].session() as session:
            await retention.forget(session, kept)

    return run


def days(number):
    return timedelta(days=number)


def count(connection, table, condition="true"):
    return connection.execute(f"SELECT count(*) FROM sync.{table} WHERE {condition}").fetchone()[0]


async def test_closed_letters_go_when_they_are_old_and_open_ones_never(citizen, forget):
    citizen.execute(LETTER, ("closed", days(91), 1, 3))
    citizen.execute(LETTER, ("discarded", days(91), 4, 6))
    citizen.execute(LETTER, ("closed", days(89), 7, 8))
    citizen.execute(LETTER.replace("now() - %s", "nullif(now() - %s, now())"), ("open", days(0), 9, 10))
    await forget()
    assert count(citizen, "dead_letter") == 4
    await forget(Retention(letter_days=8))
    assert citizen.execute("SELECT DISTINCT status FROM sync.dead_letter").fetchall() == [("open",)]


async def test_a_batch_is_all_that_one_look_removes(citizen, forget):
    citizen.execute(LETTER, ("closed", days(91), 1, BATCH + 1))
    await forget()
    assert count(citizen, "dead_letter") == 1
    await forget()
    assert count(citizen, "dead_letter") == 0


async def test_of_old_runs_the_newest_and_the_newest_that_succeeded_stay_and_open_ones_too(citizen, forget):
    citizen.execute(RUN, ("j", days(500), "succeeded", days(500), NEWEST + 5))
    citizen.execute(RUN, ("j", days(450), "failed", days(450), NEWEST + 7))
    citizen.execute(RUN, ("other", days(500), "coalesced", days(500), 3))
    citizen.execute(
        "INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at) VALUES ('j', '2000-01-01', 'l', 'scheduled', now())"
    )
    await forget()
    assert count(citizen, "job_run", "job = 'j' AND state = 'succeeded'") == NEWEST
    assert count(citizen, "job_run", "job = 'j' AND state = 'failed'") == NEWEST
    assert count(citizen, "job_run", "job = 'j' AND state = 'scheduled'") == 1
    assert count(citizen, "job_run", "job = 'other'") == 3


async def test_of_old_reports_the_newest_that_are_done_stay_and_those_under_way(citizen, forget):
    citizen.execute(REPORT, ("f", "done", None, days(181), NEWEST + 2))
    citizen.execute(REPORT, ("g", "undecided", "behind", days(181), 4))
    citizen.execute(REPORT, ("h", "running", None, days(181), 2))
    await forget()
    assert [count(citizen, "reconciliation", f"flow = '{flow}'") for flow in "fgh"] == [NEWEST, 0, 2]
    assert citizen.execute("SELECT max(run) FROM sync.reconciliation WHERE flow = 'f'").fetchone() == ("0999",)


async def test_the_audit_is_spared_for_a_year_whatever_it_is_asked_for(citizen, migrated, forget):
    for age in (364, 366, 800):
        citizen.execute(AUDIT, (days(age),))
    await forget()
    assert count(citizen, "audit") == 2
    with connect(migrated.citizen) as worker:
        worker.execute("SELECT sync.forget_audit(interval '0', 100)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            worker.execute("DELETE FROM sync.audit")
    assert count(citizen, "audit") == 1


async def test_what_was_resolved_long_ago_goes(citizen, warehouse, forget):
    for age in ("401 days", "399 days", None):
        warehouse.execute(
            "INSERT INTO sync.review_queue (flow, kind, citizen_id, gr_id, reason, resolved_at)"
            " VALUES ('f', 'k', gen_random_uuid(), gen_random_uuid(), 'r', now() - %s::interval)", (age,)
        )  # fmt: skip
        if age:
            warehouse.execute(
                "INSERT INTO sync.maintenance (starts_at, ends_at, reason, asked_by)"
                " VALUES (now() - %s::interval, now() - %s::interval, 'r', 'a')", (age, age)
            )  # fmt: skip
    await forget(database=Database.WAREHOUSE)
    assert (count(warehouse, "review_queue"), count(warehouse, "maintenance")) == (2, 1)
