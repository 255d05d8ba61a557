"""What metrics cost is the median of the ratios of neighbouring runs."""

from bench.drain import Drained
from bench.observability import observability_figures


def run(contender, rate):
    return Drained(contender, 1000, 1000 / rate, rate, rate / 2, 1e6 / rate, 100.0, 0.0)


def rates(ours, without):
    return [run("ours", rate) for rate in ours] + [run("ours without metrics", rate) for rate in without]


def test_one_slow_round_does_not_decide():
    drained, cpu = observability_figures(rates([9_800.0, 2_000.0, 9_900.0], [10_000.0, 9_900.0, 10_100.0]))
    assert (drained.ours, drained.theirs) == (9_800.0, 10_000.0)
    assert drained.met
    assert cpu.ratio > 1


def test_a_machine_that_becomes_slower_meanwhile_does_not_decide():
    drained, _ = observability_figures(rates([9_900.0, 6_900.0, 4_900.0], [10_000.0, 7_000.0, 5_000.0]))
    assert (drained.ours, drained.theirs) == (6_900.0, 7_000.0)


def test_more_than_three_percent_is_too_much():
    drained, _ = observability_figures(rates([9_600.0], [10_000.0]))
    assert not drained.met
