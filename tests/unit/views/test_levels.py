import pytest

from reconcile.report import Verdict
from sinks import flow_state
from sinks.job_ledger import State
from streams.lane import LaneState
from views.database_lines import AWAY
from views.levels import STATES, Level, state_level
from views.members import ALIVE, STALE

#: Kafka Connect's words, and ours for a connector that is not there.
CONNECTOR_STATES = {"running", "paused", "stopped", "failed", "unassigned", "restarting", "missing"}
FLOW_STATES = {flow_state.RUNNING, flow_state.PAUSED, flow_state.STOPPED}


def test_the_pages_know_every_state_that_there_is_and_no_other():
    told = {str(state) for kind in (LaneState, State, Verdict) for state in kind}
    assert STATES.keys() == told | FLOW_STATES | CONNECTOR_STATES | {ALIVE, STALE, AWAY}


@pytest.mark.parametrize(("state", "level"), [("open", Level.OK), ("waiting", Level.WARNING), ("stopped", Level.CRITICAL)])
def test_a_state_has_its_level(state, level):
    assert state_level(state) is level


def test_a_state_of_another_version_is_a_warning():
    assert state_level("unheard of") is Level.WARNING
