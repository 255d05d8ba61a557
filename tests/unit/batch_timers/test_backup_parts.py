"""How a run goes through a source: what it joins, and when it does not ask."""

import pytest

from batch_timers import backup_parts
from batch_timers.backup_parts import Part, Silence, compared, joined
from batch_timers.event_path import Hashed
from sinks.source_rows import KeyRange

EDGES = [KeyRange(None, "b"), KeyRange("b", "c"), KeyRange("c", "d"), KeyRange("d", None)]
SOURCE = {0: Hashed(2, "1"), 1: Hashed(2, "2"), 2: Hashed(2, "3"), 3: Hashed(1, "4")}
DIFFERING = [Part(edge, None) for edge in EDGES]


def test_parts_that_are_alike_and_follow_one_another_become_one():
    parts = list(joined(compared(EDGES, SOURCE, SOURCE | {2: Hashed(2, "other")})))
    assert [part[:2] for part in parts] == [(KeyRange(None, "c"), 4), (KeyRange("c", "d"), None), (KeyRange("d", None), 1)]


def test_a_part_that_neither_side_has_rows_in_is_alike():
    assert list(joined(compared([KeyRange()], {}, {}))) == [Part(KeyRange(), 0)]


@pytest.mark.parametrize(("written", "pages"), [(1, [1, 1, 1, 1]), (3, [3, 1]), (4, [4])])
def test_parts_that_may_differ_are_joined_up_to_what_one_transaction_writes(monkeypatch, written, pages):
    monkeypatch.setattr(backup_parts, "WRITTEN_PAGES", written)
    assert [part.pages for part in joined(DIFFERING)] == pages


def test_joined_parts_cover_what_they_are_made_of_without_a_gap():
    parts = list(joined(DIFFERING))
    assert [(part.bounds.low, part.bounds.high) for part in parts] == [(None, None)]


def asked(spans):
    """Which of the spans are asked about."""
    silence, numbers = Silence(), []
    for number, parts in enumerate(spans):
        if silence.over():
            numbers.append(number)
            silence.heard(parts)
    return numbers


def test_where_all_differs_ever_more_spans_are_read_unasked():
    assert asked([DIFFERING] * 40) == [0, 2, 5, 10, 19, 28, 37]


def test_where_anything_is_alike_every_span_is_asked_about():
    assert asked([[*DIFFERING, Part(KeyRange(), 7)]] * 6) == [0, 1, 2, 3, 4, 5]


def test_what_is_alike_behind_what_differs_is_asked_about_again():
    assert asked([DIFFERING, DIFFERING, *[[Part(KeyRange(), 7)]] * 4]) == [0, 2, 3, 4, 5]
