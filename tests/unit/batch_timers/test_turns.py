"""Whose turn it is, by situations: what is decided about the open runs of a board."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from batch_timers.jobs import JOBS
from batch_timers.turns import ATTEMPTS, Action, turns
from sinks.job_board import Board, Maintenance, Run
from sinks.job_ledger import State

SCHEDULES = {job.name: job.schedule for job in JOBS}


def at(text, day="2026-03-03"):
    return datetime.fromisoformat(f"{day} {text}").replace(tzinfo=UTC)


def run(job, slot, **values):
    """A run that is due at its slot."""
    made = Run(
        run_id=hash((job, slot)), job=job, scheduled_for=slot, lane=SCHEDULES[job].lane, state=State.SCHEDULED, due_at=slot,
        reason=None, requested_by=None, forced=False, cancelled=False, token=0, attempts=0, retry_at=None, created_at=slot,
        expired=False, begun=False,
    )  # fmt: skip
    return replace(made, **values)


def running(job, slot, **values):
    return run(job, slot, state=State.RUNNING, **values)


def decide(now, *runs, paused=(), maintenance=()):
    """Job → action and reason, in the order of decision."""
    board = Board(now, runs, frozenset(paused), tuple(maintenance))
    return {(turn.run.job, turn.run.scheduled_for): turn for turn in turns(board, SCHEDULES)}


def actions(*arguments, **options):
    return {job: turn.action for (job, _), turn in decide(*arguments, **options).items()}


def test_at_midnight_schemes_and_the_hourly_job_start_together_because_their_lanes_differ():
    found = actions(at("00:00"), run("scheme_master", at("00:00")), run("profile_summary_hourly", at("00:00")))
    assert found == {"scheme_master": Action.START, "profile_summary_hourly": Action.START}


def test_an_hourly_slot_at_a_time_when_the_full_job_runs_is_superseded():
    found = decide(at("01:00"), running("profile_summary_full", at("00:30")), run("profile_summary_hourly", at("01:00")))
    (turn,) = found.values()
    assert (turn.action, turn.reason) == (Action.SUPERSEDE, "at its time profile_summary_full runs")


def test_when_both_are_due_the_full_job_goes_and_the_hourly_slot_is_superseded():
    found = actions(at("00:40"), run("profile_summary_hourly", at("00:00")), run("profile_summary_full", at("00:30")))
    assert found == {"profile_summary_full": Action.START, "profile_summary_hourly": Action.SUPERSEDE}


def test_a_full_job_that_an_operator_has_paused_supersedes_nothing():
    found = actions(
        at("01:00"),
        run("profile_summary_full", at("00:30")),
        run("profile_summary_hourly", at("01:00")),
        paused=["profile_summary_full"],
    )
    assert found == {"profile_summary_full": Action.WAIT, "profile_summary_hourly": Action.START}


def test_an_hourly_slot_that_somebody_else_in_its_lane_blocks_is_superseded_not_late():
    holder = running("weekly_reconciliation:profile_summary", at("03:00", "2026-03-08"))
    found = decide(at("04:00", "2026-03-08"), holder, run("profile_summary_hourly", at("04:00", "2026-03-08")))
    assert [turn.reason for turn in found.values()] == ["at its time weekly_reconciliation:profile_summary runs"]


SUNDAY = "2026-03-08"
PROFILES, GOLDEN = "weekly_reconciliation:profile_summary", "weekly_reconciliation:golden_records"


def test_a_scheduled_job_asks_the_reconciliation_for_its_lane():
    holder = running(PROFILES, at("00:10", SUNDAY), begun=True)
    found = decide(at("00:30", SUNDAY), holder, run("profile_summary_full", at("00:30", SUNDAY)))
    assert [(turn.action, turn.reason) for turn in found.values()] == [(Action.ASK, f"{PROFILES} has the lane profiles")]


def test_a_reconciliation_that_has_left_its_lane_goes_on_behind_the_job_that_it_was_left_to():
    left = run(PROFILES, at("00:10", SUNDAY), state=State.PAUSED, begun=True)
    full = run("profile_summary_full", at("00:30", SUNDAY))
    assert actions(at("00:30", SUNDAY), left, full) == {"profile_summary_full": Action.START, PROFILES: Action.WAIT}
    assert actions(at("00:50", SUNDAY), left, replace(full, state=State.RUNNING)) == {PROFILES: Action.WAIT}
    assert actions(at("01:10", SUNDAY), left) == {PROFILES: Action.START}


def test_on_a_tie_the_scheduled_job_goes_before_the_reconciliation():
    found = actions(at("03:00", SUNDAY), run(PROFILES, at("03:00", SUNDAY)), run("profile_summary_hourly", at("03:00", SUNDAY)))
    assert found == {"profile_summary_hourly": Action.START, PROFILES: Action.WAIT}


def test_a_job_that_may_not_start_asks_nobody_for_the_lane():
    holder = running(GOLDEN, at("00:10", SUNDAY), begun=True)
    paused = decide(
        at("01:00", SUNDAY), holder, run("golden_records_daily", at("01:00", SUNDAY)), paused=["golden_records_daily"]
    )
    assert [turn.action for turn in paused.values()] == [Action.WAIT]


def test_flows_are_reconciled_one_after_the_other_but_not_for_ever():
    first, second = running(GOLDEN, at("03:00", SUNDAY)), run(PROFILES, at("03:00", SUNDAY))
    assert decide(at("14:59", SUNDAY), first, second)[PROFILES, at("03:00", SUNDAY)].reason == (
        f"waits for {GOLDEN}, at most until 15:00 UTC"
    )
    assert actions(at("15:00", SUNDAY), first, second) == {PROFILES: Action.START}
    assert actions(at("04:00", SUNDAY), first, replace(second, forced=True)) == {PROFILES: Action.WAIT}


def test_the_light_reconciliation_is_superseded_where_the_weekly_one_still_runs():
    holder = running(GOLDEN, at("03:00", SUNDAY), begun=True)
    assert actions(at("20:00", SUNDAY), holder, run("daily_reconciliation:golden_records", at("20:00", SUNDAY))) == {
        "daily_reconciliation:golden_records": Action.SUPERSEDE
    }


def test_two_reconciliations_do_not_take_the_lane_from_each_other():
    holder = running("weekly_reconciliation:eligibility_hints", at("03:00", SUNDAY), begun=True)
    other = run("daily_reconciliation:application_decisions", at("20:00", SUNDAY))
    assert actions(at("20:00", SUNDAY), holder, other) == {"daily_reconciliation:application_decisions": Action.WAIT}


def test_an_hourly_slot_waits_while_the_one_before_runs_and_is_coalesced_when_another_comes():
    before = running("profile_summary_hourly", at("05:00"))
    waiting = run("profile_summary_hourly", at("06:00"))
    assert decide(at("06:00"), before, waiting)["profile_summary_hourly", at("06:00")].action is Action.WAIT
    later = decide(at("07:00"), before, waiting, run("profile_summary_hourly", at("07:00")))
    assert later["profile_summary_hourly", at("06:00")].action is Action.COALESCE
    assert later["profile_summary_hourly", at("07:00")].action is Action.WAIT


@pytest.mark.parametrize("state", [State.RUNNING, State.SCHEDULED, State.PAUSED])
def test_golden_records_wait_for_that_days_full_job_until_a_quarter_to_two(state):
    full = run("profile_summary_full", at("00:30"), state=state, retry_at=at("12:00"))
    golden = run("golden_records_daily", at("01:00"))
    assert actions(at("01:44"), full, golden)["golden_records_daily"] is Action.WAIT
    assert actions(at("01:45"), full, golden)["golden_records_daily"] is Action.START


def test_golden_records_do_not_wait_for_a_full_job_that_has_ended_well_or_badly():
    assert actions(at("01:00"), run("golden_records_daily", at("01:00"))) == {"golden_records_daily": Action.START}


def test_golden_records_do_not_wait_for_another_days_full_job():
    old = running("profile_summary_full", at("00:30", "2026-03-02"))
    assert actions(at("01:00"), old, run("golden_records_daily", at("01:00")))["golden_records_daily"] is Action.START


def test_feedback_comes_after_user_behavior_also_when_both_were_deferred():
    behavior = run("user_behavior", at("02:00", "2026-03-01"), due_at=at("06:30", "2026-03-01"), state=State.DEFERRED)
    feedback = run("feedback", at("02:30", "2026-03-01"), due_at=at("06:30", "2026-03-01"), state=State.DEFERRED)
    now = at("06:30", "2026-03-01")
    assert actions(now, behavior, feedback) == {"user_behavior": Action.START, "feedback": Action.WAIT}
    assert actions(now, feedback) == {"feedback": Action.START}


def test_nothing_starts_in_the_window_and_what_is_due_is_deferred_to_the_first_open_moment():
    found = decide(at("02:00", "2026-03-01"), run("user_behavior", at("02:00", "2026-03-01")))
    (turn,) = found.values()
    assert (turn.action, turn.until) == (Action.DEFER, at("06:30", "2026-03-01"))


def test_maintenance_on_demand_defers_what_is_due_and_ending_it_early_lets_it_start():
    asked = Maintenance(at("00:00"), at("02:00"), "index rebuild")
    late = run("scheme_master", at("00:00"))
    (turn,) = decide(at("00:00"), late, maintenance=[asked]).values()
    assert (turn.action, turn.until, turn.reason) == (Action.DEFER, at("02:00"), "deferred: index rebuild")
    deferred = replace(late, state=State.DEFERRED, due_at=at("02:00"))
    assert actions(at("00:30"), deferred, maintenance=[asked]) == {"scheme_master": Action.WAIT}
    assert actions(at("00:31"), deferred) == {"scheme_master": Action.START}


def test_what_is_deferred_is_not_deferred_again_and_again():
    deferred = run("user_behavior", at("02:00", "2026-03-01"), state=State.DEFERRED, due_at=at("06:30", "2026-03-01"))
    assert actions(at("03:00", "2026-03-01"), deferred) == {"user_behavior": Action.WAIT}


def test_a_run_that_has_begun_goes_on_in_peak_hours_but_not_in_a_window():
    begun = run("golden_records_daily", at("01:00", "2026-03-01"), state=State.PAUSED, begun=True)
    assert actions(at("03:59", "2026-03-01"), begun) == {"golden_records_daily": Action.WAIT}
    assert actions(at("04:00", "2026-03-01"), begun) == {"golden_records_daily": Action.START}


def test_a_forced_run_starts_in_what_was_closed_when_it_was_forced_but_not_in_later_maintenance():
    forced = run("feedback", at("04:10"), requested_by="an operator", forced=True)
    assert actions(at("04:10"), forced) == {"feedback": Action.START}
    later = Maintenance(at("04:20"), at("05:00"), "index rebuild")
    assert actions(at("04:30"), forced, maintenance=[later]) == {"feedback": Action.DEFER}


def test_a_dead_workers_run_is_taken_over_and_keeps_its_lane_until_then():
    dead = running("profile_summary_full", at("00:30"), expired=True, begun=True)
    assert actions(at("01:00"), dead, run("profile_summary_hourly", at("01:00"))) == {
        "profile_summary_full": Action.TAKE_OVER,
        "profile_summary_hourly": Action.SUPERSEDE,
    }


def test_a_dead_workers_run_lets_its_lane_go_where_it_may_not_go_on():
    dead = running("golden_records_daily", at("01:00", "2026-03-01"), expired=True, begun=True)
    assert actions(at("02:30", "2026-03-01"), dead) == {"golden_records_daily": Action.RELEASE}
    assert actions(at("01:30", "2026-03-01"), dead, paused=["*"]) == {"golden_records_daily": Action.RELEASE}


def test_a_run_whose_workers_die_again_and_again_fails():
    dead = running("scheme_master", at("00:00"), expired=True, attempts=ATTEMPTS)
    assert actions(at("00:10"), dead) == {"scheme_master": Action.FAIL}


def test_a_run_under_way_is_left_alone():
    assert decide(at("00:10"), running("scheme_master", at("00:00"))) == {}


def test_pausing_all_jobs_holds_back_every_job():
    found = actions(at("00:00"), run("scheme_master", at("00:00")), run("profile_summary_hourly", at("00:00")), paused=["*"])
    assert set(found.values()) == {Action.WAIT}


def test_a_run_that_waits_for_its_next_attempt_is_left_alone_until_then():
    again = run("scheme_master", at("00:00"), retry_at=at("00:05"), reason="a defect")
    assert actions(at("00:04"), again) == {"scheme_master": Action.WAIT}
    assert actions(at("00:05"), again) == {"scheme_master": Action.START}


def test_a_cancelled_run_that_nobody_works_on_ends_at_once():
    assert actions(at("00:00"), run("scheme_master", at("00:00"), cancelled=True)) == {"scheme_master": Action.CANCEL}


def test_what_an_operator_asked_for_is_not_left_to_the_calendars_runs():
    asked = run("user_behavior", at("01:00"), requested_by="an operator")
    found = decide(at("02:00"), asked, run("user_behavior", at("02:00")))
    assert [turn.action for turn in found.values()] == [Action.START, Action.WAIT]


def test_a_job_that_this_version_does_not_know_is_left_alone():
    unknown = replace(run("scheme_master", at("00:00")), job="of_tomorrow", lane="tomorrow")
    assert actions(at("00:00"), unknown) == {"of_tomorrow": Action.WAIT}
