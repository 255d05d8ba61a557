"""The text that a scrape gets."""

import time

import pytest

from metrics import catalogue
from metrics.catalogue import EVENT_AGE, EVENTS_TOTAL, MAINTENANCE, POOL_SIZE
from metrics.exposition import Exposition
from metrics.model import Kind, Metric, Scope
from metrics.samples import Samples
from metrics.worker import FlowEvents, event_samples
from sinks.ledger import Outcome
from tests.support.scrape import parse

#: Of the processor, while the loop stands still for it; what else a machine does is not counted.
SCRAPE_SECONDS = 0.05
PARTITIONS = 400


def told(*sources):
    return parse(Exposition(sources).text().decode())


def test_chunks_become_counts_by_outcome_and_a_histogram_of_ages():
    events = FlowEvents()
    events.committed({Outcome.APPLIED: 3, Outcome.FILTERED: 1}, [0.02, 0.3])
    events.committed({Outcome.APPLIED: 2}, [4000.0])
    found = told(lambda: event_samples({"feedback": events}))
    assert found.types["sync_events"] == "counter"
    assert found.value(EVENTS_TOTAL.name, flow="feedback", outcome="applied") == 5
    assert found.value(EVENTS_TOTAL.name, flow="feedback", outcome="dead_lettered") == 0, "a rate needs a beginning"
    buckets = {
        bound: found.value("sync_event_age_seconds_bucket", flow="feedback", le=bound)
        for bound in ("0.01", "0.025", "0.5", "+Inf")
    }
    assert buckets == {"0.01": 0, "0.025": 1, "0.5": 2, "+Inf": 3}
    assert found.value("sync_event_age_seconds_count", flow="feedback") == 3
    assert found.value("sync_event_age_seconds_sum", flow="feedback") == pytest.approx(4000.32)


def test_of_two_sources_of_one_series_the_later_counts_and_the_series_stands_once():
    def source(value):
        samples = Samples()
        samples.set(MAINTENANCE, value)
        return samples

    assert told(lambda: source(0), lambda: source(1)).value(MAINTENANCE.name) == 1


def test_what_is_not_in_the_list_is_refused():
    stranger = Metric("sync_strange", Kind.GAUGE, "1", Scope.WORKER, (), "Not in the list")
    samples = Samples()
    samples.set(stranger, 1)
    with pytest.raises(ValueError, match="sync_strange is not in the catalogue"):
        told(lambda: samples)


def test_labels_must_be_those_of_the_metric():
    with pytest.raises(ValueError, match="sync_pool_size has the labels"):
        Samples().set(POOL_SIZE, 1)


def test_states_are_told_one_hot():
    samples = Samples()
    samples.one_hot(catalogue.FLOW_STATE, ("running", "paused", "stopped"), "paused", "feedback")
    found = told(lambda: samples)
    states = {state: found.value("sync_flow_state", flow="feedback", state=state) for state in ("running", "paused", "stopped")}
    assert states == {"running": 0, "paused": 1, "stopped": 0}


def test_a_value_at_a_bound_belongs_to_it():
    events = FlowEvents()
    events.committed({}, [EVENT_AGE.buckets[0]])
    found = told(lambda: event_samples({"feedback": events}))
    assert found.value("sync_event_age_seconds_bucket", flow="feedback", le="0.01") == 1


def test_a_scrape_of_far_more_partitions_than_there_are_holds_the_loop_up_for_less_than_50_ms():
    def everything():
        samples = event_samples({f"flow {number}": FlowEvents() for number in range(40)})
        for metric in (catalogue.LAG_RECORDS, catalogue.LAG_SECONDS, catalogue.OWNED, catalogue.SOURCE_TIME):
            for number in range(PARTITIONS):
                samples.set(metric, 1.5, "flow", "topic", str(number))
        return samples

    exposition = Exposition([everything])
    spent = []
    for _ in range(5):
        began = time.thread_time()
        exposition.text()
        spent.append(time.thread_time() - began)
    assert min(spent) < SCRAPE_SECONDS
