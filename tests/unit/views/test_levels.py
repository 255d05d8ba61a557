import pytest

from sinks import flow_state
from streams.lane import LaneState
from views.levels import STATES, Level, state_level
from views.members import ALIVE, STALE

FLOW_STATES = {flow_state.RUNNING, flow_state.PAUSED, flow_state.STOPPED}


def test_the_pages_know_every_state_that_there_is_and_no_other():
    assert STATES.keys() == {str(state) for state in LaneState} | FLOW_STATES | {ALIVE, STALE}


@pytest.mark.parametrize(("state", "level"), [("open", Level.OK), ("waiting", Level.WARNING), ("stopped", Level.CRITICAL)])
def test_a_state_has_its_level(state, level):
    assert state_level(state) is level


def test_a_state_of_another_version_is_a_warning():
    assert state_level("unheard of") is Level.WARNING
