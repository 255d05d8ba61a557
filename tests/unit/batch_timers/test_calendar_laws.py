"""The calendar over ten virtual years, against an oracle that counts minutes and knows nothing of spans."""

import calendar
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_timers.closures import Calendar, Closure
from batch_timers.jobs import JOBS
from batch_timers.plan import Fate, placed, plan
from batch_timers.proposals import proposals
from batch_timers.slots import slot_before, slot_from, slots
from flows.batch_registry import ALL_FLOWS
from flows.registry import FLOWS

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
MINUTES = int((END - START).total_seconds() // 60)
MINUTE = timedelta(minutes=1)

moments = st.integers(0, MINUTES - 1).map(lambda minute: START + minute * MINUTE)
jobs = st.sampled_from(JOBS)


def in_window(at):
    """The first Sunday of a month, by the month's calendar as it is printed."""
    sundays = [week[6] for week in calendar.monthcalendar(at.year, at.month) if week[6]]
    return at.day == sundays[0] and 2 <= at.hour < 4


def in_peak(at):
    """By minutes of the day in India, which is five and a half hours ahead all year."""
    minute = (at.hour * 60 + at.minute + 330) % 1440
    return 9 * 60 <= minute < 12 * 60 or 18 * 60 <= minute < 22 * 60


@st.composite
def calendars(draw):
    """Maintenance on demand: up to three spans of up to two days."""
    spans = draw(st.lists(st.tuples(moments, st.integers(1, 2880)), max_size=3))
    return Calendar(tuple(Closure(start, start + minutes * MINUTE, "on demand") for start, minutes in spans))


def closed(at, on, *, avoids_peak):
    return in_window(at) or any(span.start <= at < span.end for span in on.on_demand) or (avoids_peak and in_peak(at))


FIRST_SUNDAYS = [day for n in range((END - START).days) if in_window((day := START + timedelta(days=n)) + timedelta(hours=3))]
#: Hours and minutes of the daily jobs, as the document gives them.
TIMES = {
    "scheme_master": (0, 0),
    "profile_summary_full": (0, 30),
    "golden_records_daily": (1, 0),
    "user_behavior": (2, 0),
    "feedback": (2, 30),
}


@pytest.fixture(scope="module")
def ten_years():
    """The plan of ten years, and of the hourly job that of each first Sunday with the days around it."""
    rare = [job for job in JOBS if not job.schedule.often]
    often = [job for job in JOBS if job.schedule.often]
    around = [plan(often, day - timedelta(days=1), day + timedelta(days=2), Calendar()) for day in FIRST_SUNDAYS]
    return [*plan(rare, START, END, Calendar()), *chain.from_iterable(around)]


def test_every_slot_of_ten_years_has_one_fate(ten_years):
    days = [START + timedelta(days=n) for n in range((END - START).days)]
    expected = {(job, day.replace(hour=hour, minute=minute)) for day in days for job, (hour, minute) in TIMES.items()}
    sundays = [day for day in days if day.strftime("%a") == "Sun"]
    for flow in ALL_FLOWS:
        expected |= {(f"weekly_reconciliation:{flow.name}", day.replace(hour=3)) for day in sundays}
    for flow in FLOWS:
        expected |= {(f"daily_reconciliation:{flow.name}", day.replace(hour=20)) for day in days}
    hours = [timedelta(hours=n) for n in range(-24, 48)]
    expected |= {("profile_summary_hourly", day + hour) for day in FIRST_SUNDAYS for hour in hours}
    found = Counter((each.job, each.scheduled_for) for each in ten_years)
    assert found.keys() == expected
    assert set(found.values()) == {1}


def test_in_ten_years_no_job_starts_in_a_window_and_none_that_avoids_it_in_peak_hours(ten_years):
    avoiding = {job.name: job.schedule.avoids_peak for job in JOBS}
    started = [each for each in ten_years if each.starts_at]
    assert [each for each in started if in_window(each.starts_at)] == []
    assert [each for each in started if avoiding[each.job] and in_peak(each.starts_at)] == []


def test_in_ten_years_only_first_sundays_differ_from_plain_days(ten_years):
    odd = {each.scheduled_for.date() for each in ten_years if each.fate is not Fate.RUNS}
    assert odd == {day.date() for day in FIRST_SUNDAYS}
    assert len(odd) == 120


def test_in_ten_years_what_is_coalesced_goes_into_a_slot_that_runs(ten_years):
    fates = {(each.job, each.scheduled_for): each.fate for each in ten_years}
    into = [(each.job, each.into) for each in ten_years if each.fate is Fate.COALESCED]
    assert len(into) == 240
    assert {fates[target] for target in into} == {Fate.RUNS}


@given(jobs, moments, calendars())
def test_a_deferred_job_starts_at_the_first_minute_that_is_open(job, at, on):
    avoids = job.schedule.avoids_peak
    starts, passed = on.first_open(at, avoids_peak=avoids)
    assert not closed(starts, on, avoids_peak=avoids)
    before = range(int((starts - at).total_seconds() // 60))
    assert all(closed(at + minute * MINUTE, on, avoids_peak=avoids) for minute in before)
    assert bool(passed) == (starts > at)


@given(jobs, moments, calendars())
def test_a_slot_runs_waits_or_is_left_to_a_later_one(job, at, on):
    slot = slot_from(job.schedule.cron, at)
    found = placed(job.schedule, slot, slot, on)
    if found.fate is Fate.COALESCED:
        assert job.schedule.often
        assert found.into > slot
        assert on.maintenance_at(slot) is not None
    else:
        assert found.starts_at >= slot
        assert (found.fate is Fate.DEFERRED) == (found.starts_at > slot)


@settings(max_examples=60)
@given(jobs, moments, st.lists(st.integers(-2000, 3000), min_size=1, max_size=12), calendars())
def test_whenever_somebody_looks_every_slot_gets_one_line_and_the_newest_alone_runs(job, start, steps, on):
    """Ticks at any distance, also back in time: what a ledger with one line per slot would hold."""
    known, now, lines, latest = start, start, [], start
    for step in steps:
        now += step * MINUTE
        latest = max(latest, now)
        found = list(proposals(job.schedule, known, now, on))
        assert [each.fate for each in found[:-1]] == [Fate.COALESCED] * len(found[:-1])
        assert all(each.into == found[-1].scheduled_for for each in found[:-1])
        assert all(each.due_at >= each.scheduled_for for each in found)
        lines += [each.scheduled_for for each in found]
        known = max([known, *lines])
    assert lines == slots(job.schedule.cron, start, latest)


@given(jobs, moments)
def test_the_slots_around_a_moment_enclose_it(job, at):
    before, following = slot_before(job.schedule.cron, at), slot_from(job.schedule.cron, at)
    assert before <= at <= following
    assert slots(job.schedule.cron, before, following) == ([] if before == following else [following])
