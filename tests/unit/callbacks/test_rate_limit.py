import pytest

from callbacks.rate_limit import TokenBucket


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_burst_passes_and_then_one_each_interval(clock):
    bucket = TokenBucket(rate=4, burst=3, clock=clock)
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.25]
    clock.now += 0.25
    assert [bucket.take(), bucket.take()] == [0, 0.25]


def test_who_is_refused_pays_nothing(clock):
    bucket = TokenBucket(rate=1, burst=1, clock=clock)
    assert bucket.take() == 0
    for _ in range(10):
        clock.now += 0.0625
        assert bucket.take() > 0
    clock.now += 0.375
    assert bucket.take() == 0


def test_a_pause_saves_up_no_more_than_a_burst(clock):
    bucket = TokenBucket(rate=1, burst=2, clock=clock)
    clock.now += 3600
    assert [bucket.take() for _ in range(3)] == [0, 0, 1]
