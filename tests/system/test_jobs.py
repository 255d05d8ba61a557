"""Batch jobs on real workers beside running event flows."""

import pytest

from batch_timers.jobs import DAILY, JOBS, WEEKLY
from demo.history import Sizes
from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY
from tests.oracle import batches as oracle
from tests.oracle.batches import UserEvent
from tests.support.waiting import eventually

SIZES = Sizes(evaluations=100, applications=50, documents=50, user_events=4000, feedback=300)
FAMILIES = 200
NAMES = [job.name for job in JOBS if job.group not in (WEEKLY, DAILY)]
BACKING_UP = ["profile_summary_full", "profile_summary_hourly", "golden_records_daily"]
WITHIN = 120


def ended(installation, job):
    run = installation.command("jobs", "show", job)
    return None if run["state"] in ("scheduled", "deferred", "running", "paused") else run


def all_ended(installation, group):
    """Job → state and reason, when all of a group have ended; asked of the ledgers, since commands take their time."""
    query = "SELECT job, state, reason FROM sync.job_run WHERE job LIKE %s"
    databases = (installation.warehouse, installation.citizen)
    found = {job: rest for database in databases for job, *rest in database.rows(query, (f"{group}:%",))}
    ended = all(state not in ("scheduled", "deferred", "running", "paused") for state, _ in found.values())
    return {job: tuple(rest) for job, rest in found.items()} if ended else None


def test_every_job_runs_on_a_worker_and_finds_that_events_have_missed_nothing(installation, workers):
    workers.start("worker-1")
    installation.settle_all()
    for job in NAMES:
        installation.command("jobs", "run", job, "--force")
        run = eventually(lambda job=job: ended(installation, job), f"{job} has ended", within=WITHIN)
        assert run["state"] == "succeeded", run
        assert run["missed"] == [], job
        if job in BACKING_UP:
            assert (run["rows_written"], run["rows_missed"]) == (0, 0), job
    installation.become_right_all([GOLDEN_RECORDS, PROFILE_SUMMARY])
    events = installation.citizen.rows("SELECT citizen_id, event_type, occurred_at, duration_ms FROM user_events")
    found = installation.warehouse.rows(
        "SELECT citizen_id, event_type, activity_date, event_count, total_duration_ms, first_at, last_at"
        " FROM analytics.user_behavior"
    )
    assert {row[:3]: row[3:] for row in found} == oracle.user_behavior(UserEvent(*row) for row in events)
    assert installation.warehouse.value("SELECT count(*) FROM analytics.feedback_analytics") == SIZES.feedback


@pytest.mark.campaign
def test_the_weekly_reconciliation_covers_every_flow_and_the_daily_one_leaves_out_what_has_not_changed(installation, workers):
    workers.start("worker-1")
    installation.settle_all()
    for group in (WEEKLY, DAILY):
        asked = installation.command("jobs", "run", group, "--force")
        names = [job.name for job in JOBS if job.group == group]
        assert sorted(run["job"] for run in asked) == sorted(names)
        found = eventually(lambda group=group: all_ended(installation, group), f"{group} has ended", within=WITHIN)
        assert found == dict.fromkeys(names, ("succeeded", None))
        (run,) = {f"{slot.replace('-', '').replace(':', '')[:15]}Z-{group}" for slot in (each["scheduled_for"] for each in asked)}
        document = installation.command("reconcile", "show", run)
        assert (document["verdict"], document["light"]) == ("equal", group == DAILY)
        assert {flow["flow"] for flow in document["flows"]} == {name.partition(":")[2] for name in names}
    untouched = {flow["flow"]: flow["untouched"] for flow in document["flows"]}
    assert untouched[PROFILE_SUMMARY.name] > 0
    assert installation.command("status")["problems"] == []


def test_what_is_damaged_behind_the_back_of_events_is_found_as_missed_by_the_full_job(installation, workers):
    workers.start("worker-1")
    installation.settle_all()
    family = installation.citizen.value("SELECT family_id FROM profile_summary LIMIT 1")
    installation.citizen.rows("DELETE FROM profile_summary WHERE family_id = %s", (family,))
    installation.command("jobs", "run", "profile_summary_full", "--force")
    run = eventually(lambda: ended(installation, "profile_summary_full"), "the job has ended", within=WITHIN)
    assert run["missed"] == [{"key": f"family_id {family}", "what": "written"}]
    installation.become_right_all([PROFILE_SUMMARY])


def test_a_killed_worker_leaves_its_run_to_another(installation, workers):
    workers.start("worker-1")
    installation.warehouse.rows("TRUNCATE analytics.user_behavior")
    installation.warehouse.rows("DELETE FROM sync.watermark")
    with installation.warehouse.connect() as somebody:
        somebody.execute("BEGIN; LOCK TABLE analytics.user_behavior")  # so that the run is under way when its worker dies
        installation.command("jobs", "run", "user_behavior", "--force")
        eventually(lambda: installation.command("jobs", "show", "user_behavior")["owner"], "the run has an owner", within=WITHIN)
        workers["worker-1"].kill()
        somebody.execute("ROLLBACK")
    workers.start("worker-2")
    run = eventually(lambda: ended(installation, "user_behavior"), "the run has ended", within=WITHIN)
    assert run["state"] == "succeeded"
    assert installation.warehouse.value("SELECT sum(event_count) FROM analytics.user_behavior") == SIZES.user_events
