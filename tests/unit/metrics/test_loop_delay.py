"""How long the event loop was held up."""

from metrics.catalogue import LOOP_DELAY
from metrics.loop_delay import WINDOW, LoopDelay


def told(delay):
    return delay.samples().values[LOOP_DELAY][()]


def test_the_longest_delay_of_the_last_minute_is_told_and_then_forgotten():
    delay = LoopDelay()
    assert told(delay) == 0
    delay.note(now=10.0, due=9.7)
    delay.note(now=20.0, due=16.0)
    delay.note(now=30.0, due=30.0)
    assert told(delay) == 4
    delay.note(now=20.0 + WINDOW + 1, due=20.0 + WINDOW + 1)
    assert told(delay) == 0
