"""Every action has its deed, which takes what the form gives."""

import inspect

import pytest

from app.deeds import DEEDS
from batch_timers.jobs import JOBS
from flows.registry import FLOWS
from views.actions import all_actions

ACTIONS = all_actions(FLOWS, [job.name for job in JOBS])


def test_there_is_a_deed_for_every_action_and_no_other():
    assert set(DEEDS) == {action.name for action in ACTIONS}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_a_deed_takes_the_fields_of_its_action(action):
    _, *taken = inspect.signature(DEEDS[action.name]).parameters
    assert taken == [field.name for field in action.fields]
