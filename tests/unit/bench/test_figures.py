"""Figures say how the product stands beside a peer, and whether a promise is kept."""

import pytest

from bench.figures import COLUMNS, Figure, Goal, Of, missed, percentile

AT_LEAST_3X = Goal(Of.RATIO, lowest=3.0)
AT_MOST_40 = Goal(Of.VALUE, highest=40.0)


def figure(ours, theirs, goal=None):
    return Figure("drain", "events/s", ours, "jdbc sink", theirs, goal)


def test_the_ratio_is_ours_divided_by_theirs():
    assert figure(18_000.0, 6_000.0).ratio == 3.0


def test_a_peer_that_did_nothing_makes_an_infinite_ratio_and_no_error():
    assert figure(1.0, 0.0).ratio == float("inf")


@pytest.mark.parametrize(("ours", "met"), [(17_999.0, False), (18_000.0, True)])
def test_a_goal_on_the_ratio_is_met_from_its_limit_on(ours, met):
    assert figure(ours, 6_000.0, AT_LEAST_3X).met is met


@pytest.mark.parametrize(("ours", "met"), [(40.0, True), (40.1, False)])
def test_a_goal_on_the_value_ignores_the_peer(ours, met):
    assert figure(ours, 1e9, AT_MOST_40).met is met


def test_a_figure_without_goal_is_neither_met_nor_missed():
    plain = figure(1.0, 2.0)
    assert plain.met is None
    assert missed([plain]) == []


def test_only_missed_goals_are_listed():
    good, bad = figure(20.0, 1.0, AT_MOST_40), figure(50.0, 1.0, AT_MOST_40)
    assert missed([good, bad]) == [bad]


def test_goals_are_written_with_their_sign_and_the_sign_of_a_ratio():
    assert (str(AT_LEAST_3X), str(AT_MOST_40)) == ("≥ 3x", "≤ 40")


def test_a_row_has_a_cell_for_every_column_and_shouts_when_a_goal_is_missed():
    row = figure(12_345.6, 6_172.8, AT_LEAST_3X).row()
    assert len(row) == len(COLUMNS)
    assert row == ("drain", "12,346", "events/s", "jdbc sink", "6,173", "2.00x", "≥ 3x", "MISSED")


def test_the_document_holds_the_values_unrounded():
    document = figure(0.1234567, 1.0, AT_MOST_40).document()
    assert (document["ours"], document["goal"], document["met"]) == (0.1234567, "≤ 40", True)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (1.0, 100.0)])
def test_percentiles_of_one_to_a_hundred(share, expected):
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_a_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
