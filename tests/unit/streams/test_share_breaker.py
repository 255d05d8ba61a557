import pytest

from streams.share_breaker import ShareBreaker, TooManyDeadLetters


def commit(breaker, read, dead):
    breaker.check(read, dead)
    breaker.committed(read, dead)


def test_one_bad_row_at_the_start_is_no_alarm():
    commit(ShareBreaker(1000, 0.2), 1, 1)


def test_a_bad_deploy_stops_the_flow_once_the_window_is_full():
    breaker = ShareBreaker(1000, 0.2)
    commit(breaker, 999, 999)
    with pytest.raises(TooManyDeadLetters, match="1000 of the last 1000"):
        breaker.check(1, 1)


def test_old_trouble_is_forgotten():
    breaker = ShareBreaker(100, 0.2)
    commit(breaker, 90, 15)
    for _ in range(20):
        commit(breaker, 10, 0)
    commit(breaker, 100, 20)


def test_a_share_at_the_limit_passes_and_one_more_does_not():
    breaker = ShareBreaker(100, 0.2)
    breaker.check(100, 20)
    with pytest.raises(TooManyDeadLetters):
        breaker.check(100, 21)


def test_a_resumed_flow_begins_anew():
    breaker = ShareBreaker(10, 0.1)
    commit(breaker, 9, 9)
    breaker.reset()
    commit(breaker, 9, 9)
