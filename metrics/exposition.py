"""All values of a process in Prometheus' text format, from a registry of our own: nothing but the catalogue is told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from metrics.catalogue import METRICS
from metrics.model import Kind, Metric
from metrics.samples import Distribution, Labels, Samples

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

#: Gives what is known at this moment, at once: nothing is asked while somebody scrapes.
Source = Callable[[], Samples]


class Exposition(Collector):
    """Collects from its sources when it is asked; of a label set that two of them tell, the later one's value counts.

    Raises ``ValueError`` for a metric that is not in the catalogue.
    """

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources: Sequence[Source] = tuple(sources)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """The answer to a scrape."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Family]:
        """See :class:`prometheus_client.registry.Collector`."""
        merged = Samples()
        for source in self._sources:
            merged.update(source())
        for metric, values in merged.values.items():
            yield _valued(metric, values)
        for metric, distributions in merged.distributions.items():
            yield _distributed(metric, distributions)


def _valued(metric: Metric, values: Mapping[Labels, float]) -> Family:
    family = _FAMILIES[metric.kind](_checked(metric).name, metric.meaning, labels=metric.labels)
    for labels, value in values.items():
        family.add_sample(metric.name, dict(zip(metric.labels, labels, strict=True)), value)
    return family


def _distributed(metric: Metric, distributions: Mapping[Labels, Distribution]) -> Family:
    family = HistogramMetricFamily(_checked(metric).name, metric.meaning, labels=metric.labels)
    for labels, distribution in distributions.items():
        family.add_metric(labels, [(_written(bound), count) for bound, count in distribution.cumulative()], distribution.total)
    return family


def _checked(metric: Metric) -> Metric:
    if METRICS.get(metric.name) is not metric:
        raise ValueError(f"{metric.name} is not in the catalogue")
    return metric


_FAMILIES: Final[dict[Kind, Callable[..., Family]]] = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
}


def _written(bound: float) -> str:
    return "+Inf" if math.isinf(bound) else repr(float(bound))
