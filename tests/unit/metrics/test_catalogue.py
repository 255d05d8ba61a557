"""The list of metrics keeps to Prometheus' conventions, and the document to the list."""

import re
from pathlib import Path

import pytest

from metrics.catalogue import GROUPS, LABELS, METRICS
from metrics.document import COMMAND, page
from metrics.model import PREFIX, Kind

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
EVERY = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
# Whatever grows with the data, or tells of a person.
IDENTIFYING = re.compile(r"(^|_)(id|key|row|offset|sender|citizen|family|run|message)(_|$)")


def test_the_page_says_what_the_list_says():
    assert PAGE.read_text(encoding="utf-8") == page(), f"docs/metrics.md is out of date; renew it: {COMMAND}"


def test_no_name_stands_twice():
    assert sum(len(group.metrics) for group in GROUPS) == len(METRICS)


@EVERY
def test_a_name_tells_prefix_kind_and_base_unit(metric):
    assert re.fullmatch(PREFIX + r"[a-z]+(_[a-z]+)*", metric.name)
    assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
    if metric.unit in {"seconds", "bytes"}:
        assert metric.name.endswith(f"_{metric.unit}")
    if metric.unit == "seconds since 1970":
        assert metric.name.endswith("_timestamp_seconds")
    assert (metric.kind is Kind.HISTOGRAM) == bool(metric.buckets)
    assert list(metric.buckets) == sorted(metric.buckets)


@EVERY
def test_labels_are_of_closed_lists_and_no_identities(metric):
    assert set(metric.labels) <= LABELS.keys()
    assert not any(IDENTIFYING.search(label) for label in metric.labels)
    assert not {"job", "instance", "le"} & set(metric.labels), "Prometheus has its own meaning for these"


def test_every_label_is_used():
    assert {label for metric in METRICS.values() for label in metric.labels} == LABELS.keys()
