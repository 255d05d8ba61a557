"""The calendar by named cases: what the specification says of single days."""

from datetime import UTC, datetime, timedelta

import pytest

from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import JOBS, UnknownJob, job_named, problems
from batch_timers.plan import Fate, plan
from batch_timers.proposals import proposals
from batch_timers.slots import slots

CALENDAR = Calendar()
# 2026-03-01 is a Sunday, the first of its month; 2026-03-07 a Saturday; 2026-04-05 the first Sunday of April.
SUNDAY_THE_FIRST = datetime(2026, 3, 1, tzinfo=UTC)
PLAIN_DAY = datetime(2026, 3, 3, tzinfo=UTC)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def of_day(day, job, calendar=CALENDAR):
    """Scheduled time, fate and start of a job's slots of a day."""
    found = plan(JOBS, day, day + timedelta(days=1), calendar)
    return [
        (f"{each.scheduled_for:%H:%M}", each.fate.value, each.starts_at and f"{each.starts_at:%d %H:%M}")
        for each in sorted(found, key=lambda each: each.scheduled_for)
        if each.job == job
    ]


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("scheme_master", [("00:00", "runs", "03 00:00")]),
        ("profile_summary_full", [("00:30", "runs", "03 00:30")]),
        ("golden_records_daily", [("01:00", "runs", "03 01:00")]),
        ("user_behavior", [("02:00", "runs", "03 02:00")]),
        ("feedback", [("02:30", "runs", "03 02:30")]),
        ("weekly_reconciliation:eligibility_hints", []),
        ("daily_reconciliation:eligibility_hints", [("20:00", "runs", "03 20:00")]),
    ],
)
def test_on_a_plain_day_every_job_starts_when_the_document_says(job, expected):
    assert of_day(PLAIN_DAY, job) == expected


def test_on_a_plain_day_the_hourly_job_starts_every_hour():
    assert of_day(PLAIN_DAY, "profile_summary_hourly") == [(f"{hour:02}:00", "runs", f"03 {hour:02}:00") for hour in range(24)]


@pytest.mark.parametrize("day", [SUNDAY_THE_FIRST, at("2026-04-05"), at("2026-02-01"), at("2027-08-01"), at("2032-02-01")])
@pytest.mark.parametrize(
    ("job", "time", "start"),
    [
        ("user_behavior", "02:00", "06:30"),
        ("feedback", "02:30", "06:30"),
        ("weekly_reconciliation:golden_records", "03:00", "04:00"),
        ("weekly_reconciliation:ml_alerts", "03:00", "04:00"),
        ("daily_reconciliation:golden_records", "20:00", "20:00"),
        ("golden_records_daily", "01:00", "01:00"),
        ("scheme_master", "00:00", "00:00"),
    ],
)
def test_on_a_first_sunday_the_window_defers_and_who_avoids_the_peak_waits_for_its_end(day, job, time, start):
    fate = "runs" if time == start else "deferred"
    assert of_day(day, job) == [(time, fate, f"{day:%d} {start}")]


def test_hourly_slots_in_the_window_are_coalesced_into_the_first_run_after_it():
    found = plan(JOBS, SUNDAY_THE_FIRST, SUNDAY_THE_FIRST + timedelta(days=1), CALENDAR)
    hourly = [each for each in found if each.job == "profile_summary_hourly" and each.fate is Fate.COALESCED]
    assert [(f"{each.scheduled_for:%H:%M}", f"{each.into:%H:%M}") for each in hourly] == [("02:00", "04:00"), ("03:00", "04:00")]


def test_the_second_sunday_has_no_window():
    assert of_day(at("2026-03-08"), "user_behavior") == [("02:00", "runs", "08 02:00")]
    assert of_day(at("2026-03-08"), "weekly_reconciliation:golden_records") == [("03:00", "runs", "08 03:00")]


def test_of_the_first_seven_days_only_the_sunday_has_a_window():
    days = [SUNDAY_THE_FIRST + timedelta(days=number) for number in range(31)]
    assert [day.day for day in days if CALENDAR.maintenance_at(day.replace(hour=3))] == [1]


def test_the_plan_says_that_golden_records_pause_where_the_window_could_meet_them():
    (golden,) = [
        each
        for each in plan(JOBS, SUNDAY_THE_FIRST, SUNDAY_THE_FIRST + timedelta(hours=2), CALENDAR)
        if each.job == "golden_records_daily"
    ]
    assert "waits for profile_summary_full, at most until 01:45 UTC" in golden.why
    assert "if it still runs at 02:00 UTC, it pauses until 04:00 UTC" in golden.why


def test_an_hourly_slot_at_a_time_when_the_full_job_runs_is_superseded():
    """Maintenance until 01:30 sends the full job to 01:30; it is expected to run until 02:00, so that 02:00 is free again."""
    until_half_past = Calendar((Closure(at("2026-03-03 00:10"), at("2026-03-03 01:30"), "on demand"),))
    assert of_day(PLAIN_DAY, "profile_summary_full", until_half_past) == [("00:30", "deferred", "03 01:30")]
    assert of_day(PLAIN_DAY, "profile_summary_hourly", until_half_past)[:3] == [
        ("00:00", "runs", "03 00:00"),
        ("01:00", "coalesced", None),
        ("02:00", "runs", "03 02:00"),
    ]
    until_two = Calendar((Closure(at("2026-03-03 00:10"), at("2026-03-03 02:00"), "on demand"),))
    assert of_day(PLAIN_DAY, "profile_summary_hourly", until_two)[2] == ("02:00", "superseded", None)


def test_the_hourly_run_at_midnight_is_not_the_full_jobs():
    """00:00 hourly and 00:30 full are half an hour apart; schemes at 00:00 have another lane."""
    assert of_day(PLAIN_DAY, "profile_summary_hourly")[0] == ("00:00", "runs", "03 00:00")
    assert job_named("scheme_master").schedule.lane != job_named("profile_summary_hourly").schedule.lane


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-03-03 03:29", "03:29"),
        ("2026-03-03 03:30", "06:30"),
        ("2026-03-03 06:29", "06:30"),
        ("2026-03-03 06:30", "06:30"),
        ("2026-03-03 12:29", "12:29"),
        ("2026-03-03 12:30", "16:30"),
        ("2026-03-03 16:29", "16:30"),
        ("2026-03-01 02:00", "06:30"),
        ("2026-03-01 01:59", "01:59"),
    ],
)
def test_peak_hours_of_india_keep_avoiding_jobs_from_starting(now, start):
    found, _ = CALENDAR.first_open(at(now), avoids_peak=True)
    assert f"{found:%H:%M}" == start


def test_maintenance_on_demand_joins_with_peak_hours_behind_it():
    calendar = Calendar((Closure(at("2026-03-03 11:00"), at("2026-03-03 13:00"), "on demand"),))
    starts, passed = calendar.first_open(at("2026-03-03 11:30"), avoids_peak=True)
    assert starts == at("2026-03-03 16:30")
    assert [closure.reason for closure in passed] == ["on demand", "peak hours 18-22 IST"]


def proposed(job, known, now, calendar=CALENDAR):
    found = proposals(job_named(job).schedule, at(known), at(now), calendar)
    return [(f"{each.scheduled_for:%d %H:%M}", each.fate.value, f"{each.due_at:%d %H:%M}") for each in found]


def test_after_three_days_down_a_daily_job_runs_once_and_the_other_days_are_coalesced():
    assert proposed("scheme_master", "2026-03-03 00:00", "2026-03-06 10:00") == [
        ("04 00:00", "coalesced", "04 00:00"),
        ("05 00:00", "coalesced", "05 00:00"),
        ("06 00:00", "runs", "06 10:00"),
    ]


def test_after_three_days_down_the_hourly_job_runs_once():
    found = proposed("profile_summary_hourly", "2026-03-03 00:00", "2026-03-06 10:20")
    assert found[-1] == ("06 10:00", "runs", "06 10:20")
    assert len(found) == 3 * 24 + 10
    assert {fate for _, fate, _ in found[:-1]} == {"coalesced"}


def test_a_missed_job_that_avoids_the_peak_waits_for_its_end():
    assert proposed("user_behavior", "2026-03-02 02:00", "2026-03-03 04:00") == [("03 02:00", "deferred", "03 06:30")]


def test_a_slot_that_is_noticed_within_minutes_keeps_its_time():
    assert proposed("user_behavior", "2026-03-02 02:00", "2026-03-03 02:00:45") == [("03 02:00", "runs", "03 02:00")]


def test_a_clock_that_goes_back_proposes_nothing_again():
    assert proposed("profile_summary_hourly", "2026-03-03 10:00", "2026-03-03 08:30") == []
    assert proposed("profile_summary_hourly", "2026-03-03 10:00", "2026-03-03 10:59") == []
    assert proposed("profile_summary_hourly", "2026-03-03 10:00", "2026-03-03 11:00") == [("03 11:00", "runs", "03 11:00")]


def test_a_clock_that_jumps_ahead_runs_the_newest_slot_only():
    found = proposed("feedback", "2026-03-03 02:30", "2026-03-10 08:00")
    assert [fate for _, fate, _ in found] == ["coalesced"] * 6 + ["runs"]


def test_years_of_missed_slots_are_told_in_several_ticks_and_the_newest_runs_last():
    schedule, known, now = job_named("profile_summary_hourly").schedule, at("2026-03-03 00:00"), at("2026-12-03 10:20")
    ticks = []
    while found := list(proposals(schedule, known, now, CALENDAR)):
        ticks.append(found)
        known = found[-1].scheduled_for
    lines = [each for tick in ticks for each in tick]
    assert [each.scheduled_for for each in lines] == slots(schedule.cron, at("2026-03-03 00:00"), now)
    assert max(map(len, ticks)) <= 1500
    assert {each.into for each in lines[:-1]} == {at("2026-12-03 10:00")}
    assert [each.fate for each in lines if each.fate is not Fate.COALESCED] == [Fate.RUNS] == [lines[-1].fate]


def test_a_deferred_slot_of_the_day_before_is_part_of_the_plan():
    late = Calendar((Closure(at("2026-03-02 23:00"), at("2026-03-03 00:40"), "on demand"),))
    assert of_day(PLAIN_DAY, "scheme_master", late) == [("00:00", "deferred", "03 00:40")]
    shown = plan(JOBS, at("2026-03-03 00:20"), at("2026-03-03 01:00"), late)
    assert ("scheme_master", at("2026-03-03 00:40")) in [(each.job, each.starts_at) for each in shown]


def test_the_jobs_do_not_contradict_one_another():
    assert problems(JOBS) == []
    assert problems((*JOBS, JOBS[0])) == [f"job {JOBS[0].name!r} stands twice"]


def test_an_unknown_job_is_named_together_with_those_that_exist():
    with pytest.raises(UnknownJob, match="no job 'nightly'; there are: scheme_master"):
        job_named("nightly")


def test_slots_exclude_the_beginning_and_include_the_end():
    assert slots("0 * * * *", at("2026-03-03 01:00"), at("2026-03-03 03:00")) == [at("2026-03-03 02:00"), at("2026-03-03 03:00")]
    assert slots("0 * * * *", at("2026-03-03 01:00"), at("2026-03-03 01:00")) == []
