"""Which rows differ, out of what both sides say."""

from dataclasses import replace

import pytest

from flows.application_events import APPLICATION_EVENTS
from flows.golden_records import GOLDEN_RECORDS
from flows.profile_updates import PROFILE_UPDATES
from reconcile.canonical import Hashing
from reconcile.judging import Difference, What, differences
from reconcile.kinds import comparison_of

MIRROR = replace(comparison_of(GOLDEN_RECORDS, Hashing(fast=True)), columns=("a", "b"))
FACTS = replace(comparison_of(APPLICATION_EVENTS, Hashing(fast=True)), columns=("a", "b"))


def found(expected, standing, excused=None, comparison=MIRROR):
    return list(differences(comparison, expected, standing, excused or {}))


def test_equal_rows_do_not_differ_and_two_nulls_are_equal():
    rows = {("k", ""): (1, None), ("m", ""): (2, 3)}
    assert found(rows, dict(rows)) == []


def test_a_row_on_one_side_only_is_missing_or_extra():
    assert found({("k", ""): (1, 2)}, {("m", ""): (1, 2)}) == [
        Difference("k", "", What.MISSING),
        Difference("m", "", What.EXTRA),
    ]


def test_columns_that_differ_are_named_also_where_one_side_is_null():
    assert found({("k", ""): (1, None)}, {("k", ""): (1, 2)}) == [Difference("k", "", What.DIFFERENT, ("b",))]
    assert found({("k", ""): (1, 2)}, {("k", ""): (3, None)}) == [Difference("k", "", What.DIFFERENT, ("a", "b"))]


def test_rows_of_one_key_are_told_apart_by_their_items():
    assert found({("k", "x"): (1, 1), ("k", "y"): (1, 1)}, {("k", "y"): (1, 1), ("k", "z"): (1, 1)}) == [
        Difference("k", "x", What.MISSING),
        Difference("k", "z", What.EXTRA),
    ]


def test_an_excuse_is_for_its_columns_and_its_key():
    excused = {"k": frozenset({"a"})}
    assert found({("k", ""): (1, 1)}, {("k", ""): (2, 1)}, excused) == []
    assert found({("k", ""): (1, 1)}, {("k", ""): (2, 2)}, excused) == [Difference("k", "", What.DIFFERENT, ("b",))]
    assert len(found({("m", ""): (1, 1)}, {("m", ""): (2, 1)}, excused)) == 1


def test_a_null_that_says_nothing_is_no_difference_and_a_value_is():
    silent = replace(MIRROR, silent_nulls=frozenset({"b"}))
    assert found({("k", ""): (1, None)}, {("k", ""): (1, 2)}, comparison=silent) == []
    assert len(found({("k", ""): (1, 2)}, {("k", ""): (1, None)}, comparison=silent)) == 1


def test_facts_of_earlier_states_are_not_extra():
    assert found({("k", "approved"): (1, 1)}, {("k", "approved"): (1, 1), ("k", "submitted"): (1, 1)}, comparison=FACTS) == []


def test_keys_are_spelled_as_the_databases_do():
    assert MIRROR.spelled("3F2504E0-4F89-11D3-9A0C-0305E82C3301") == "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    with pytest.raises(ValueError, match="badly formed"):
        MIRROR.spelled("x")


def test_no_key_of_a_comparison_is_private():
    comparison = comparison_of(PROFILE_UPDATES, Hashing(fast=True))
    assert "citizen_id AS key" in comparison.standing
    assert "s.id AS key" in comparison.expected
