"""How fast a run may go when an operator has said so."""

import pytest

from batch_timers.execution import pace_of
from batch_timers.pace import Pace
from settings import Batch

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
