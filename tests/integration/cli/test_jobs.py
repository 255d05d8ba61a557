"""`jobs` and `maintenance` on both real databases."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.batch_registry import ALL_FLOWS
from flows.registry import FLOWS

SLOT = "2026-03-03T02:00"


def line(citizen, job, slot, state, **values):
    columns = {"job": job, "scheduled_for": slot, "lane": "x", "state": state, "due_at": slot} | values
    citizen.execute(
        f"INSERT INTO sync.job_run ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})", list(columns.values())
    )


def test_a_run_that_is_asked_for_waits_in_the_ledger_for_a_worker(migrated, answer):
    asked = answer("jobs", "run", "scheme_master", "--force")
    assert (asked["job"], asked["state"], asked["forced"]) == ("scheme_master", "scheduled", True)
    assert migrated.citizen.execute("SELECT job, state, forced FROM sync.job_run").fetchall() == [
        ("scheme_master", "scheduled", True)
    ]
    assert migrated.citizen.execute("SELECT action FROM sync.audit").fetchall() == [("run job",)]


def test_a_group_runs_every_flow_for_one_slot_and_is_paused_as_one(migrated, answer):
    asked = answer("jobs", "run", "daily_reconciliation", "--force")
    assert len({run["scheduled_for"] for run in asked}) == 1
    assert {run["job"] for run in asked} == {f"daily_reconciliation:{flow.name}" for flow in FLOWS}
    paused = answer("jobs", "pause", "weekly_reconciliation", "--reason", "a migration")
    assert (paused["job"], paused["paused"]) == ("weekly_reconciliation", True)
    listed = {job["job"]: job["paused"] for job in answer("jobs", "list")}
    assert {name for name, held in listed.items() if held} == {f"weekly_reconciliation:{flow.name}" for flow in ALL_FLOWS}
    one = answer("jobs", "run", "weekly_reconciliation:ml_alerts", "--force")
    assert (one["job"], one["lane"]) == ("weekly_reconciliation:ml_alerts", "reconciliation")


def test_a_past_slot_runs_again_from_its_beginning(migrated, answer):
    line(migrated.warehouse, "user_behavior", SLOT, "failed", reason="broken", rows_read=5, rows_written=5, cursor="[1]")
    asked = answer("jobs", "run", "user_behavior", "--slot", SLOT, "--force", "--day", "2026-03-01", "--day", "2026-03-02")
    assert (asked["state"], asked["reason"], asked["rows_read"]) == ("scheduled", None, 0)
    assert asked["parameters"] == {"days": ["2026-03-01", "2026-03-02"]}
    assert migrated.warehouse.execute("SELECT count(*), max(cursor::text) FROM sync.job_run").fetchone() == (1, None)


def test_a_run_that_is_open_is_not_asked_for_twice(migrated, sync):
    assert sync("jobs", "run", "user_behavior", "--slot", SLOT, "--force").exit_code == 0
    again = sync("jobs", "run", "user_behavior", "--slot", SLOT, "--force")
    assert again.exit_code == 1
    assert "error: the run of user_behavior for 2026-03-03 02:00:00 UTC is under way or waits already" in again.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("user_behavior", "--slot", "2026-03-03T02:01"), "has no past slot at 2026-03-03 02:01 UTC"),
        (("user_behavior", "--slot", "2999-03-03T02:00"), "has no past slot at 2999-03-03 02:00 UTC"),
        (("scheme_master", "--day", "2026-03-03"), "scheme_master does not work by days"),
        (("user_behavior", "--day", "yesterday"), "'yesterday' is no day; write 2026-03-01"),
        (("nightly",), "no job 'nightly'; there are: scheme_master"),
    ],
)
def test_what_cannot_be_run_is_refused(migrated, sync, arguments, message):
    result = sync("jobs", "run", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_in_maintenance_a_run_by_hand_needs_force(migrated, sync):
    assert sync("maintenance", "start", "--reason", "index rebuild").exit_code == 0
    refused = sync("jobs", "run", "profile_summary_full")
    assert refused.exit_code == 1
    assert "profile_summary_full starts all the same when forced (--force)" in refused.output
    assert sync("jobs", "run", "profile_summary_full", "--force").exit_code == 0


def test_maintenance_begins_in_both_databases_and_ends_when_it_is_stopped(migrated, answer, sync):
    until = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
    begun = answer("maintenance", "start", "--until", until.isoformat(), "--reason", "index rebuild")
    assert [[each["reason"] for each in begun[name]] for name in ("warehouse", "citizen")] == [["index rebuild"]] * 2
    assert datetime.fromisoformat(begun["citizen"][0]["ends_at"]) == until
    again = sync("maintenance", "start", "--reason", "more")
    assert again.exit_code == 1
    assert "maintenance goes on until" in again.output
    assert answer("maintenance", "stop") == {"warehouse": [], "citizen": []}
    assert answer("maintenance", "show") == {"warehouse": [], "citizen": []}


def test_maintenance_that_would_have_ended_already_is_refused(migrated, sync):
    result = sync("maintenance", "start", "--until", "2020-01-01", "--reason", "late")
    assert result.exit_code == 1
    assert "the end of maintenance, 2020-01-01 00:00 UTC, has passed" in result.output


def test_the_plan_knows_of_maintenance_on_demand(migrated, answer, sync):
    until = (datetime.now(UTC) + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    sync("maintenance", "start", "--until", until.isoformat(), "--reason", "index rebuild")
    coalesced = [each for each in answer("jobs", "plan") if each["fate"] == "coalesced" and "index rebuild" in each["why"]]
    assert {datetime.fromisoformat(each["into"]) for each in coalesced} == {until}


def test_pausing_one_job_or_all_is_kept_and_lifted(migrated, answer):
    answer("jobs", "pause", "feedback", "--reason", "too loud")
    paused = {each["job"] for each in answer("jobs", "list") if each["paused"]}
    assert paused == {"feedback"}
    answer("jobs", "pause")
    assert all(each["paused"] for each in answer("jobs", "list"))
    answer("jobs", "resume")
    assert {each["job"] for each in answer("jobs", "list") if each["paused"]} == {"feedback"}
    answer("jobs", "resume", "feedback")
    assert not any(each["paused"] for each in answer("jobs", "list"))


def test_cancelling_marks_the_newest_open_run_and_refuses_one_that_has_ended(migrated, answer, sync):
    line(migrated.citizen, "scheme_master", "2026-03-03T00:00", "scheduled")
    assert answer("jobs", "cancel", "scheme_master")["cancelled"] is True
    migrated.citizen.execute("UPDATE sync.job_run SET state = 'succeeded'")
    refused = sync("jobs", "cancel", "scheme_master")
    assert refused.exit_code == 1
    assert "the run of scheme_master for 2026-03-03 00:00 UTC has ended: succeeded" in refused.output


def test_history_holds_the_slots_of_both_databases_newest_first_with_their_reasons(migrated, answer, sync):
    line(
        migrated.citizen,
        "profile_summary_hourly",
        "2026-03-03T01:00",
        "superseded",
        reason="at its time profile_summary_full runs",
    )
    line(migrated.warehouse, "feedback", "2026-03-03T02:30", "failed", reason="the database refused a statement")
    assert [(run["job"], run["state"]) for run in answer("jobs", "history")] == [
        ("feedback", "failed"),
        ("profile_summary_hourly", "superseded"),
    ]
    assert [run["job"] for run in answer("jobs", "history", "feedback")] == ["feedback"]
    assert "at its time profile_summary_full runs" in sync("jobs", "history").output


def test_a_run_is_shown_with_progress_estimate_and_what_events_had_missed(migrated, answer, sync):
    line(
        migrated.citizen, "golden_records_daily", "2026-03-03T01:00", "running", owner="w", lease_until="2999-01-01", chunks=2,
        rows_read=100, rows_unchanged=98, rows_written=2, rows_missed=1, rows_expected=300, started_at="2026-03-03T01:00:00",
        progressed_at="2026-03-03T01:00:10",
    )  # fmt: skip
    migrated.citizen.execute("INSERT INTO sync.job_missed SELECT run_id, 'abc', 'written' FROM sync.job_run")
    shown = answer("jobs", "show", "golden_records_daily")
    assert (shown["rows_per_second"], shown["seconds_left"]) == (10.0, 20.0)
    assert shown["missed"] == [{"key": "abc", "what": "written"}]
    text = sync("jobs", "show", "golden_records_daily").output
    assert "100 of about 300 rows, 2 chunks, 10.0/s, 20.0 s left" in text
    assert "2026-03-03 01:00:00 UTC · 06:30:00 IST" in text


def test_a_job_without_a_run_says_where_to_look(migrated, sync):
    result = sync("jobs", "show", "feedback")
    assert result.exit_code == 1
    assert "feedback has no such run; `python -m cli jobs history feedback` lists what it has" in result.output
