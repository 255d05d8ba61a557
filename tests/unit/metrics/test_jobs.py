"""Batch jobs as metrics."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from batch_timers.jobs import JOBS
from flows.tables import Database
from metrics import catalogue
from metrics.jobs import job_samples, period
from metrics.samples import Samples
from sinks.operations.job_figures import JobFigures
from sinks.operations.jobs import JobRun
from sinks.operations.maintenance import Maintenance

NOW = datetime(2025, 1, 15, 5, 0, tzinfo=UTC)  # a Wednesday
JOB = "scheme_master"  # daily at 00:00, not in peak hours, which end at 06:30 UTC
NOTHING = JobFigures(NOW, [], [], {}, {}, frozenset(), {}, [])


def run(job=JOB, **values):
    counts = {f"rows_{name}": 0 for name in ("read", "written", "unchanged", "skipped", "failed", "missed")}
    made = {
        "run_id": 1, "job": job, "scheduled_for": NOW, "lane": "l", "state": "scheduled", "due_at": NOW, "reason": None,
        "requested_by": None, "forced": False, "cancelled": False, "parameters": {}, "owner": None, "attempts": 0,
        "retry_at": None, "chunks": 0, "rows_expected": None, "created_at": NOW, "started_at": None, "progressed_at": None,
        "ended_at": None,
    }  # fmt: skip
    return JobRun(**(made | counts | values))


def told(metric, job=JOB, database=Database.CITIZEN, now=NOW, **facts):
    samples = Samples()
    job_samples(samples, database, replace(NOTHING, **facts), now.timestamp())
    found = {labels[1:]: value for labels, value in samples.values.get(metric, {}).items() if labels[0] == job}
    return found.get(()) if not metric.labels[1:] else {labels[0]: value for labels, value in found.items()}


@pytest.mark.parametrize(("cron", "days"), [("0 0 * * *", 1), ("0 * * * *", 1 / 24), ("0 3 * * sun", 7)])
def test_the_period_is_the_longest_time_between_two_slots(cron, days):
    assert period(cron) == timedelta(days=days)


def test_the_next_run_is_the_calendars_outside_of_peak_hours():
    assert told(catalogue.JOB_NEXT) == datetime(2025, 1, 16, tzinfo=UTC).timestamp()


def test_the_next_run_is_a_deferred_one_where_there_is_one():
    due = NOW + timedelta(minutes=90)
    assert told(catalogue.JOB_NEXT, open=[run(state="deferred", due_at=due)]) == due.timestamp()


def test_a_run_that_has_not_begun_is_late_from_its_deferred_time_on():
    waiting = [run(due_at=NOW - timedelta(minutes=16))]
    assert told(catalogue.JOB_LATE, open=waiting) == 16 * 60
    assert told(catalogue.JOB_LATE, open=[run(state="deferred", due_at=NOW + timedelta(hours=1))]) == 0
    assert told(catalogue.JOB_LATE, open=waiting, paused=frozenset({"*"})) == 0, "an operator wants it so"
    assert told(catalogue.JOB_LATE, open=[run(state="running", started_at=NOW, due_at=NOW - timedelta(hours=1))]) == 0


def test_a_run_that_may_wait_for_another_job_is_late_only_after_that():
    job = next(each for each in JOBS if each.name == "golden_records_daily")
    waiting = [run(job=job.name, due_at=NOW - job.schedule.after.within - timedelta(seconds=30))]
    assert told(catalogue.JOB_LATE, job=job.name, open=waiting) == 30


def test_a_run_at_work_tells_progress_and_how_long_it_has_worked():
    working = run(state="running", started_at=NOW - timedelta(minutes=4), rows_read=30, rows_expected=40)
    assert told(catalogue.JOB_RUNNING, open=[working]) == 1
    assert told(catalogue.JOB_PROGRESS, open=[working]) == 0.75
    assert told(catalogue.JOB_DURATION, open=[working]) == 240


def test_the_newest_run_tells_its_result_duration_and_rows():
    ended = run(
        state="failed", started_at=NOW - timedelta(hours=2), ended_at=NOW - timedelta(hours=1), rows_read=5, rows_failed=5
    )
    assert told(catalogue.JOB_LAST_RESULT, newest=[ended]) == {"succeeded": 0, "failed": 1, "cancelled": 0}
    assert told(catalogue.JOB_DURATION, newest=[ended]) == 3600
    assert told(catalogue.JOB_ROWS, newest=[ended])["failed"] == 5
    week = {(JOB, "failed"): 2}
    assert told(catalogue.JOB_WEEK, week=week) == {"succeeded": 0, "failed": 2, "cancelled": 0, "coalesced": 0, "superseded": 0}


def test_the_reconciliation_of_each_flow_is_a_job():
    name = "weekly_reconciliation:golden_records"
    assert told(catalogue.JOB_RUNNING, job=name) == 0
    assert told(catalogue.JOB_PERIOD, job=name) == 7 * 24 * 3600
    assert told(catalogue.JOB_RUNNING, job=name, open=[run(job=name, state="running", started_at=NOW)]) == 1


def test_maintenance_is_told_with_its_span():
    asked = Maintenance(NOW - timedelta(minutes=5), NOW + timedelta(minutes=5), "new disks", "somebody")
    samples = Samples()
    job_samples(samples, Database.CITIZEN, replace(NOTHING, maintenance=[asked]), NOW.timestamp())
    assert samples.values[catalogue.MAINTENANCE] == {(): 1}
    assert samples.values[catalogue.MAINTENANCE_UNTIL] == {(): asked.ends_at.timestamp()}
    first_sunday = datetime(2025, 1, 5, 2, 30, tzinfo=UTC)
    samples = Samples()
    job_samples(samples, Database.CITIZEN, NOTHING, first_sunday.timestamp())
    assert samples.values[catalogue.MAINTENANCE_SINCE] == {(): datetime(2025, 1, 5, 2, tzinfo=UTC).timestamp()}
