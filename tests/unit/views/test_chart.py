"""Lines over time."""

from datetime import UTC, datetime, timedelta

import pytest

from views.chart import HEIGHT, WIDTH, Span, line, rounded_up

NOON = datetime(2025, 1, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPAN = Span(NOON - 10 * MINUTE, NOON, MINUTE)


def points(*values):
    """One value a minute, the last at noon."""
    return [(NOON - MINUTE * (len(values) - 1 - place), value) for place, value in enumerate(values)]


def test_time_goes_from_left_to_right_and_values_from_bottom_to_top():
    drawn = line("Rate", "rate", [(SPAN.start, 0.0), (SPAN.start + MINUTE, 10.0)], SPAN)
    assert drawn.paths == (f"0,{HEIGHT:g} {WIDTH / 10:g},0",)
    assert (drawn.top, drawn.newest, drawn.least, drawn.greatest) == (10.0, 10.0, 0.0, 10.0)


def test_a_stretch_without_values_is_a_gap_and_a_lonely_value_a_dot():
    drawn = line("Lag", "duration", points(1.0, 2.0, None, 2.0, None, 1.0, 1.0), SPAN)
    assert len(drawn.paths) == 2
    assert drawn.dots == ((WIDTH * 7 / 10, 0.0),)


def test_without_values_nothing_is_drawn():
    drawn = line("Lag", "duration", [], SPAN)
    assert (drawn.paths, drawn.dots, drawn.newest) == ((), (), None)


@pytest.mark.parametrize(("limit", "height"), [(5.0, HEIGHT / 2), (10.0, 0.0), (11.0, None)])
def test_a_limit_is_drawn_where_it_is_in_the_picture(limit, height):
    assert line("Lag", "duration", points(1.0, 10.0), SPAN, limit).limit == height


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (-3, 1), (float("inf"), 1), (0.3, 0.5), (1, 1), (1.1, 2), (21, 50), (99, 100), (1e9 + 1, 2e9)]
)
def test_the_upper_edge_is_a_round_number(value, top):
    assert rounded_up(value) == pytest.approx(top)
