import pytest

from streams.patience import BREAK_SECONDS, GRACE_SECONDS, Patience


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def patience(clock):
    return Patience(60.0, clock=lambda: clock[0])


def look(patience, clock, seconds, partition=0):
    """A look every second; returns what the last one says."""
    for _ in range(seconds):
        ended = patience.ends(partition)
        clock[0] += 1
    return ended


def test_it_ends_when_looks_have_gone_on_for_the_whole_grace(patience, clock):
    assert not look(patience, clock, 60)
    assert look(patience, clock, 1)


def test_a_break_begins_it_anew(patience, clock):
    look(patience, clock, 100)
    clock[0] += BREAK_SECONDS
    assert not look(patience, clock, 60)
    assert look(patience, clock, 1)


def test_another_owner_begins_it_anew(patience, clock):
    look(patience, clock, 100)
    patience.begin_anew()
    assert not look(patience, clock, 60)


def test_partitions_are_looked_at_on_their_own(patience, clock):
    assert look(patience, clock, 61)
    assert not look(patience, clock, 1, partition=1)


def test_it_never_lasts_longer_than_the_deadline_itself(clock):
    assert Patience.within(0.5)._grace == 0.5
    assert Patience.within(900.0)._grace == GRACE_SECONDS
