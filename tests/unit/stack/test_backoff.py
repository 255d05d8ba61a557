from stack.backoff import Backoff


def pauses(lives: list[float]) -> list[float]:
    result: list[float] = []
    for lived in lives:
        result.append(Backoff().next_pause(result[-1] if result else None, lived))
    return result


def test_pauses_double_up_to_thirty_seconds():
    assert pauses([0] * 7) == [1, 2, 4, 8, 16, 30, 30]


def test_pauses_begin_anew_after_a_minute_of_life():
    assert pauses([0, 0, 0, 60, 0]) == [1, 2, 4, 1, 2]


def test_a_life_just_short_of_a_minute_does_not_count():
    assert pauses([0, 59.9]) == [1, 2]
