"""Flows that batch jobs alone carry are reconciled by their own job over the whole source."""

from datetime import UTC, datetime, timedelta

import pytest

from app.batch_reconciliation import BatchReconciliation
from batch_timers.aggregate import Aggregate
from batch_timers.jobs import WEEKLY, job_named
from batch_timers.new_rows import NewRows
from batch_timers.pages import Page
from batch_timers.refresh import Refresh
from flows.feedback import FEEDBACK
from flows.scheme_master import SCHEME_MASTER
from flows.user_behavior import USER_BEHAVIOR
from tests.integration.batch_timers.test_plain_jobs import (
    Portal,
    Schemes,
    expected_behavior,
    standing_behavior,
    standing_feedback,
)

REPORT = "SELECT state, progress FROM sync.reconciliation ORDER BY run DESC LIMIT 1"


def reconciling(flow, job):
    return BatchReconciliation(job_named(f"{WEEKLY}:{flow.name}").schedule, flow, job)


@pytest.fixture
def source(citizen):
    return Portal(citizen)


def report(connection):
    state, progress = connection.execute(REPORT).fetchone()
    return state, progress["expected"], progress["different"], progress["repaired"]


async def test_changed_and_missing_feedback_is_written_anew_and_a_second_run_writes_nothing(jobs, source, warehouse):
    source.feedback(300)
    await jobs.run(NewRows(FEEDBACK))
    before = standing_feedback(warehouse)
    table = "analytics.feedback_analytics"
    warehouse.execute(f"UPDATE {table} SET comment = 'x' WHERE feedback_id = %s", (min(before),))
    warehouse.execute(f"DELETE FROM {table} WHERE feedback_id = %s", (max(before),))
    mark = warehouse.execute("SELECT taken FROM sync.watermark").fetchall()
    line = await jobs.run(reconciling(FEEDBACK, NewRows(FEEDBACK)))
    assert (line["state"], line["rows_written"], line["rows_read"]) == ("succeeded", 2, 300)
    assert report(warehouse) == ("done", 300, 2, 2)
    assert standing_feedback(warehouse) == before
    assert warehouse.execute("SELECT taken FROM sync.watermark").fetchall() == mark
    assert (await jobs.run(reconciling(FEEDBACK, NewRows(FEEDBACK))))["rows_written"] == 0
    assert report(warehouse) == ("done", 300, 0, 0)


async def test_a_stale_aggregate_is_computed_anew_but_not_that_of_the_oldest_day(jobs, source, warehouse, citizen):
    source.event(400, within=timedelta(days=4))
    await jobs.run(Aggregate(USER_BEHAVIOR))
    assert standing_behavior(warehouse) == expected_behavior(citizen)
    (oldest,) = warehouse.execute("SELECT min(activity_date) FROM analytics.user_behavior").fetchone()
    warehouse.execute("UPDATE analytics.user_behavior SET event_count = event_count + 1")
    (stale,) = warehouse.execute("SELECT count(*) FROM analytics.user_behavior WHERE activity_date > %s", (oldest,)).fetchone()
    line = await jobs.run(reconciling(USER_BEHAVIOR, Aggregate(USER_BEHAVIOR)))
    assert (line["state"], line["rows_written"]) == ("succeeded", stale)
    right = {key: value for key, value in expected_behavior(citizen).items() if key[2] > oldest}
    assert {key: value for key, value in standing_behavior(warehouse).items() if key[2] > oldest} == right


async def test_a_source_without_events_leaves_the_aggregates_alone(jobs, warehouse):
    line = await jobs.run(reconciling(USER_BEHAVIOR, Aggregate(USER_BEHAVIOR)))
    assert (line["state"], line["rows_read"], report(warehouse)[0]) == ("succeeded", 0, "done")


async def test_a_damaged_scheme_is_made_good(jobs, warehouse, citizen):
    Schemes(warehouse).upsert("S1", "ACTIVE")
    await jobs.run(Refresh(SCHEME_MASTER))
    citizen.execute("UPDATE public.schemes SET name = 'x' WHERE code = 'S1'")
    line = await jobs.run(reconciling(SCHEME_MASTER, Refresh(SCHEME_MASTER)))
    assert (line["state"], line["rows_written"]) == ("succeeded", 1)
    assert report(citizen)[2:] == (1, 1)
    assert citizen.execute("SELECT count(*) FROM public.schemes WHERE name = 'x'").fetchone() == (0,)


async def test_a_run_that_is_broken_off_goes_on_behind_its_last_chunk_and_keeps_what_it_had_found(
    jobs, source, warehouse, monkeypatch
):
    monkeypatch.setattr("sinks.new_rows.PAGE_ROWS", 50)
    source.feedback(200, created=datetime(2026, 3, 1, tzinfo=UTC))
    write, written = Page.write, []

    async def failing(self, session):
        written.append(len(self.rows))
        if len(written) == 3:
            raise RuntimeError("broken off")
        return await write(self, session)

    monkeypatch.setattr(Page, "write", failing)
    runner = jobs.propose(reconciling(FEEDBACK, NewRows(FEEDBACK)))
    await runner.look()
    await runner.finished()
    assert report(warehouse) == ("running", 100, 100, 100)
    warehouse.execute("UPDATE sync.job_run SET retry_at = NULL")
    await runner.look()
    await runner.finished()
    await runner._target.close()
    assert written == [50] * 5
    assert report(warehouse) == ("done", 200, 200, 200)
