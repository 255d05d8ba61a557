from cli.connector_keeper import RestartSchedule
from stack.backoff import Backoff


def schedule():
    return RestartSchedule(Backoff(first=2, longest=10, steady=60))


def restarts(schedule, seconds):
    """The moments of restart of a connector that is found failed every second."""
    return [now for now in seconds if schedule.due(now)]


def test_a_connector_that_fails_is_restarted_at_once():
    assert schedule().due(1000)


def test_one_that_fails_again_and_again_is_restarted_with_growing_pauses_up_to_the_longest():
    assert restarts(schedule(), range(100, 140)) == [100, 102, 106, 114, 124, 134]


def test_one_that_lived_long_is_restarted_at_once_and_the_pauses_begin_anew():
    keeper = schedule()
    restarts(keeper, range(100, 140))
    assert restarts(keeper, range(300, 310)) == [300, 302, 306]
