"""A benchmark that is told to stop takes its stack down first."""

import signal

import pytest

from bench.interruption import SIGNALS, ended_in_order


def interrupted(number, undone):
    with ended_in_order():
        try:
            signal.raise_signal(number)
        finally:
            undone.append(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_unwinds_the_program_and_leaves_with_the_shells_code(number):
    undone = []
    with pytest.raises(SystemExit) as left:
        interrupted(number, undone)
    assert left.value.code == 128 + number
    assert undone == [number]


def test_afterwards_signals_do_what_they_did_before():
    before = [signal.getsignal(number) for number in SIGNALS]
    with ended_in_order():
        pass
    assert [signal.getsignal(number) for number in SIGNALS] == before
