"""Probes are told apart, given to families once, and timed from their commit."""

from types import SimpleNamespace

import pytest

from bench.errors import BenchError
from bench.probes import Families, Probe, ProbeFlow


class Target:
    """Stands for the target database: shows the texts that it was told to."""

    def __init__(self):
        self.visible = set()
        self.asked = []

    def watch(self, _connection, probes):
        self.asked.append([probe.text for probe in probes])
        return self.visible & {probe.text for probe in probes}


@pytest.fixture
def target():
    return Target()


@pytest.fixture
def flow(target):
    stage = SimpleNamespace(citizen=SimpleNamespace(connect=lambda: SimpleNamespace(close=lambda: None)))
    return ProbeFlow(stage, Families(10), 100.0, target.watch)


def outstanding(flow, text, committed):
    flow._outstanding[text] = Probe(1, "family", text, committed)


def test_every_family_is_given_out_before_any_comes_again_and_the_order_is_repeatable():
    first, second = Families(50), Families(50)
    given = [first.take() for _ in range(100)]
    assert len({family for family, _ in given[:50]}) == 50
    assert given[:50] == given[50:]
    assert given[:50] == [second.take() for _ in range(50)]


def test_the_target_is_asked_only_for_probes_that_were_not_seen(flow, target):
    outstanding(flow, "a", 1.0)
    outstanding(flow, "b", 2.0)
    target.visible = {"a"}
    flow.look()
    flow.look()
    assert target.asked == [["a", "b"], ["b"]]
    assert flow.latencies.keys() == {"a"}


def test_without_outstanding_probes_the_target_is_left_alone(flow, target):
    flow.look()
    assert target.asked == []


def test_a_wait_counts_for_the_phase_in_which_the_probe_was_committed(flow):
    flow.latencies |= {"before": (10.0, 7.0), "after": (20.0, 0.5), "later": (21.0, 0.2)}
    assert flow.longest(20.0) == 0.5
    assert flow.longest(22.0) == 0.0


def test_a_phase_is_settled_when_its_own_probes_are_visible_whatever_comes_after(flow, target):
    outstanding(flow, "early", 0.0)
    outstanding(flow, "late", float("inf"))
    target.visible = {"early"}
    flow.settle()
    assert flow.latencies.keys() == {"early"}


def test_a_probe_that_never_shows_ends_the_benchmark_with_what_was_waited_for(flow):
    outstanding(flow, "lost", 0.0)
    with pytest.raises(BenchError, match="the flow is level; 1 probes are not visible"):
        flow.until(lambda: False, "the flow is level", 0.01)


def test_what_went_wrong_in_the_writer_is_raised_where_the_flow_is_watched(flow):
    flow._failure = RuntimeError("the warehouse went away")
    with pytest.raises(RuntimeError, match="went away"):
        flow.until(lambda: False, "anything", 1.0)
