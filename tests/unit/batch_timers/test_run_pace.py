"""How fast a run may go when an operator has said so."""

import pytest

from batch_timers.backup import _joined
from batch_timers.event_path import Hashed
from batch_timers.execution import pace_of
from batch_timers.pace import Pace
from settings import Batch
from sinks.source_rows import KeyRange

SETTINGS = Batch(rows_per_second=5000, peak_rows_per_second=1000)


@pytest.mark.parametrize(
    ("parameters", "pace"),
    [
        ({}, Pace(5000, 1000)),
        ({"rows_per_second": 50}, Pace(50, 50)),
        ({"rows_per_second": 20_000}, Pace(20_000, 1000)),
        ({"rows_per_second": 0}, Pace(0, 1000)),
    ],
)
def test_a_runs_own_rate_goes_before_the_usual_one_and_in_peak_hours_only_downwards(parameters, pace):
    assert pace_of(parameters, SETTINGS) == pace


def test_where_peak_hours_have_no_limit_the_runs_own_rate_is_theirs():
    assert pace_of({"rows_per_second": 7}, SETTINGS.model_copy(update={"peak_rows_per_second": 0})) == Pace(7, 7)


def test_parts_that_are_alike_and_follow_one_another_become_one():
    edges = [KeyRange(None, "b"), KeyRange("b", "c"), KeyRange("c", "d"), KeyRange("d", None)]
    source = {0: Hashed(2, "1"), 1: Hashed(2, "2"), 2: Hashed(2, "3"), 3: Hashed(1, "4")}
    parts = list(_joined(edges, source, source | {2: Hashed(2, "other")}))
    assert parts == [(KeyRange(None, "c"), 4), (KeyRange("c", "d"), None), (KeyRange("d", None), 1)]


def test_a_part_that_neither_side_has_rows_in_is_alike():
    assert list(_joined([KeyRange()], {}, {})) == [(KeyRange(), 0)]
