"""Values of metrics at one moment."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from metrics.model import Kind, Metric

Labels = tuple[str, ...]


class Distribution:
    """How many values fell at or below each of ``bounds``, which ascend, and their sum. Fed with many values at once."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds: Final = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, values: Iterable[float]) -> None:
        """Count values, in the unit of the bounds."""
        for value in values:
            self._counts[bisect_left(self.bounds, value)] += 1
            self.total += value

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Upper bound → values up to it; the last bound is infinite."""
        so_far = 0
        for bound, count in zip((*self.bounds, float("inf")), self._counts, strict=True):
            so_far += count
            yield bound, so_far


class Samples:
    """Metric → values of its label sets. Raises ``ValueError`` for labels that are not those of the metric."""

    def __init__(self) -> None:
        self.values: dict[Metric, dict[Labels, float]] = {}
        self.distributions: dict[Metric, dict[Labels, Distribution]] = {}

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """One value of a counter or gauge."""
        self.values.setdefault(metric, {})[_checked(metric, labels)] = float(value)

    def update(self, other: Samples) -> None:
        """Take over what ``other`` has; of label sets that both have, its values."""
        for metric, values in other.values.items():
            self.values.setdefault(metric, {}).update(values)
        for metric, distributions in other.distributions.items():
            self.distributions.setdefault(metric, {}).update(distributions)

    def one_hot(self, metric: Metric, states: Iterable[str], state: str, *labels: str) -> None:
        """A series for each of ``states``, the last label: 1 for ``state``."""
        for each in states:
            self.set(metric, each == state, *labels, each)

    def distribution(self, metric: Metric, values: Distribution, *labels: str) -> None:
        """One label set of a histogram."""
        assert metric.kind is Kind.HISTOGRAM, f"{metric.name} is no histogram"
        self.distributions.setdefault(metric, {})[_checked(metric, labels)] = values


def _checked(metric: Metric, labels: Labels) -> Labels:
    if len(labels) != len(metric.labels):
        raise ValueError(f"{metric.name} has the labels {metric.labels}, not values {labels}")
    return labels
