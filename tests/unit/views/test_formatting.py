import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from views import formatting


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.0 s"),
        (-3, "0.0 s"),
        (0.44, "0.4 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400 * 3 + 3600 * 4 + 59, "3 d 4 h"),
        (86_400 * 3 + 59, "3 d"),
        (86_400e6, "1,000,000 d"),
    ],
)
def test_a_duration_is_shown_with_its_two_greatest_units(seconds, shown):
    assert formatting.duration(seconds) == shown


@pytest.mark.parametrize(
    "render", [formatting.duration, formatting.rate, formatting.milliseconds, formatting.count, formatting.size]
)
def test_what_is_not_known_is_a_dash(render):
    assert render(None) == "-"


@pytest.mark.parametrize("render", [formatting.duration, formatting.rate, formatting.milliseconds])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_a_dash(render, value):
    assert render(value) == "-"


@pytest.mark.parametrize(
    ("per_second", "shown"),
    [(0, "0.0/s"), (0.44, "0.4/s"), (99.94, "99.9/s"), (26_431.7, "26,432/s"), (1e15, "1,000,000,000,000,000/s")],
)
def test_a_rate_has_decimals_only_while_they_say_something(per_second, shown):
    assert formatting.rate(per_second) == shown


@pytest.mark.parametrize(("value", "shown"), [(21.44, "21.4 ms"), (999.4, "999 ms"), (12_500, "12.5 s"), (125_000, "2 min 5 s")])
def test_milliseconds_become_seconds_when_there_are_many(value, shown):
    assert formatting.milliseconds(value) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 B"), (1023, "1,023 B"), (1024, "1 KiB"), (182 * 2**20, "182 MiB"), (2**60, "1,048,576 TiB")]
)
def test_bytes_are_shown_in_binary_units(number, shown):
    assert formatting.size(number) == shown


def test_huge_counts_are_shown_to_the_last_digit():
    assert formatting.count(2**63 - 1) == "9,223,372,036,854,775,807"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (datetime(2025, 1, 15, 6, 5, 4, tzinfo=UTC), "2025-01-15 06:05:04 UTC · 11:35:04 IST"),
        (datetime(2025, 1, 15, 18, 29, 59, tzinfo=UTC), "2025-01-15 18:29:59 UTC · 23:59:59 IST"),
        (datetime(2024, 12, 31, 18, 30, tzinfo=UTC), "2024-12-31 18:30:00 UTC · 00:00:00 IST (+1 day)"),
        (datetime(2025, 1, 15, 1, tzinfo=timezone(timedelta(hours=2))), "2025-01-14 23:00:00 UTC · 04:30:00 IST (+1 day)"),
        (None, "-"),
    ],
)
def test_a_moment_is_shown_in_utc_and_in_indian_time(moment, shown):
    assert formatting.both_zones(moment) == shown


def test_outcomes_that_never_occurred_are_left_out():
    shown = formatting.outcomes({"applied": 1200, "parked": 0, "dead_lettered": 1})
    assert shown.replace("\N{NO-BREAK SPACE}", " ") == "applied 1,200, dead lettered 1"
    assert formatting.outcomes({"applied": 0}) == "none yet"


@pytest.mark.parametrize(
    ("numbers", "shown"), [([], "-"), ([3], "3"), ([9, 0, 1, 2, 4, 7, 8], "0-2, 4, 7-9"), ([1, 1, 2], "1-2")]
)
def test_partition_numbers_are_shown_as_ranges(numbers, shown):
    assert formatting.ranges(numbers) == shown


def test_a_long_error_is_cut_and_keeps_to_one_line():
    assert formatting.shortened("duplicate key\n  DETAIL") == "duplicate key DETAIL"
    assert formatting.shortened("x" * 400) == "x" * 400
    assert formatting.shortened("x" * 401) == "x" * 400 + " …"
    assert formatting.shortened(None) == "-"
