"""A partition that stands still while its log grows is stuck; one that waits for something is not."""

from types import SimpleNamespace

import pytest

from streams.lane import LaneState
from streams.stall import PATIENCE, Stalls

TOPIC = "rows"


class Watch:
    """One lane, looked at when a test says so."""

    def __init__(self):
        self.now = 0.0
        self.stalls = Stalls(clock=lambda: self.now)
        self.lane = SimpleNamespace(partition=3, next_offsets={TOPIC: 10}, state=LaneState.OPEN)

    def look(self, end, after=0.0):
        self.now += after
        self.stalls.look([("flow", self.lane)], {(TOPIC, 3): end})
        return self.stalls.stuck


@pytest.fixture
def watch():
    return Watch()


def test_no_progress_while_the_log_grows_is_stuck_after_a_while(watch):
    assert watch.look(20) == ()
    assert watch.look(30, PATIENCE) == ()
    assert watch.look(30, 1) == ("flow rows[3]",)


def test_progress_begins_the_patience_anew(watch):
    watch.look(20)
    watch.lane.next_offsets[TOPIC] = 11
    assert watch.look(30, PATIENCE + 1) == ()
    assert watch.look(40, PATIENCE - 1) == ()


def test_a_log_that_does_not_grow_holds_up_nobody(watch):
    watch.look(20)
    assert watch.look(20, PATIENCE + 1) == ()


def test_level_with_the_log_it_waits_for_records(watch):
    watch.look(10)
    assert watch.look(10, PATIENCE + 1) == ()


@pytest.mark.parametrize("state", [each for each in LaneState if each is not LaneState.OPEN])
def test_a_lane_that_is_not_open_has_its_reason(watch, state):
    watch.look(20)
    watch.lane.state = state
    assert watch.look(30, PATIENCE + 1) == ()
    watch.lane.state = LaneState.OPEN
    assert watch.look(40, 1) == (), "and its patience begins anew"
