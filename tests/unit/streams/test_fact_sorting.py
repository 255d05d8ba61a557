import pytest

from streams.append_decoding import Fact, News
from streams.fact_sorting import sort_facts

KNOWN, UNKNOWN = "known scheme", "unknown scheme"


def fact(key="a", reference=KNOWN, news=News.HAPPENED):
    return Fact(key, news, "approved", reference, b"" if news is News.GONE else b'"x":1')


def sort(*facts, waiting=(), replays=(), letters=None):
    """Offsets (ready, to park, unknown) and how many were filtered."""
    done = sort_facts(enumerate(facts), known={KNOWN}, waiting=waiting, replays=replays, letters=letters or {})
    return [[offset for offset, _ in part] for part in (done.ready, done.park, done.unknown)], done.filtered


def test_facts_with_a_reference_are_ready_and_others_wait():
    assert sort(fact("a"), fact("b", UNKNOWN), fact("c")) == ([[0, 2], [1], []], 0)


def test_what_follows_a_waiting_fact_of_the_same_key_waits_behind_it():
    assert sort(fact("a", UNKNOWN), fact("b"), fact("a"), fact("a")) == ([[1], [0, 2, 3], []], 0)


def test_what_follows_a_fact_that_was_parked_before_waits_too():
    assert sort(fact("a"), fact("b"), waiting={"a"}) == ([[1], [0], []], 0)


@pytest.mark.parametrize("news", [News.NOTHING, News.GONE])
def test_what_is_no_fact_is_filtered_whatever_waits(news):
    assert sort(fact("a", UNKNOWN), fact("a", UNKNOWN, news), fact("b", KNOWN, news)) == ([[], [0], []], 2)


def test_a_snapshot_read_waits_like_any_fact():
    assert sort(fact("a", UNKNOWN, News.FOUND), fact("b", KNOWN, News.FOUND)) == ([[1], [0], []], 0)


def test_a_letter_that_is_sent_again_overtakes_what_waits():
    assert sort(fact("a"), waiting={"a"}, replays={0: 7}) == ([[0], [], []], 0)


def test_a_letter_that_is_sent_again_without_its_reference_does_not_wait_again():
    assert sort(fact("a", UNKNOWN), fact("a"), replays={0: 7}) == ([[1], [], [0]], 0)


def test_a_change_without_news_behind_a_letter_tells_which_status_must_have_a_fact():
    letters = {"a": [(0, 17)]}
    assert sort(fact("b"), fact("a", KNOWN, News.NOTHING), letters=letters) == ([[0, 1], [], []], 0)
    assert sort(fact("a", KNOWN, News.NOTHING), letters=letters) == ([[], [], []], 1)
    assert sort(fact("b"), fact("a", UNKNOWN, News.NOTHING), letters=letters) == ([[0], [], []], 1)
    assert sort(fact("b"), fact("a", KNOWN, News.NOTHING), letters=letters, waiting={"a"}) == ([[0], [], []], 1)


def test_a_change_that_is_not_told_in_full_is_no_substitute_for_a_lost_fact():
    assert sort(fact("b"), Fact("a", News.NOTHING), letters={"a": [(0, 17)]}) == ([[0], [], []], 1)
