"""What an alert looks at. A comparison has two renderings side by side: PromQL, and a look at samples for the notifier."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from metrics.model import Metric
from metrics.samples import Samples

#: What tells the series that an alert answers apart: names and values of labels, in the metric's order.
Labels: TypeAlias = tuple[tuple[str, str], ...]

_REDUCE: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {"max": max, "sum": sum}
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {">": operator.gt, ">=": operator.ge, "<": operator.lt}


@dataclass(frozen=True)
class Reading:
    """A value per combination of the labels ``by``; several workers tell the same fact, of which the greatest counts.

    ``where``: the values that a label may have. ``total``: add up what other labels tell apart, instead of the greatest of it.
    ``age``: of a time, how many seconds ago it was.
    """

    metric: Metric
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    total: bool = False
    age: bool = False

    def __post_init__(self) -> None:
        if unknown := {*self.by, *self.where}.difference(self.metric.labels):
            raise ValueError(f"{self.metric.name} has no label {', '.join(sorted(unknown))}")

    @property
    def promql(self) -> str:
        """As an instant vector with the labels ``by``."""
        value = _by("max", self.metric.labels if self.total else self.by, self.metric.name + self._selector())
        value = _by("sum", self.by, value) if self.total else value
        return f"time() - {value}" if self.age else value

    def of(self, samples: Samples, now: float) -> dict[Labels, float]:
        """The same from what one process knows. ``now``: seconds since 1970."""
        values: dict[Labels, list[float]] = {}
        for found, value in samples.values.get(self.metric, {}).items():
            labels = tuple(zip(self.metric.labels, found, strict=True))
            if all(text in self.where.get(name, (text,)) for name, text in labels):
                values.setdefault(tuple(each for each in labels if each[0] in self.by), []).append(value)
        reduced = {labels: _REDUCE["sum" if self.total else "max"](found) for labels, found in values.items()}
        return {labels: now - value for labels, value in reduced.items()} if self.age else reduced

    def _selector(self) -> str:
        matched = [f'{name}{"=" if len(values) == 1 else "=~"}"{"|".join(values)}"' for name, values in self.where.items()]
        return f"{{{', '.join(matched)}}}" if matched else ""


@dataclass(frozen=True)
class Comparison:
    """A reading against a limit: a number, or ``factor`` times a reading with the same labels."""

    reading: Reading
    sign: Literal[">", ">=", "<"]
    limit: float | Reading
    factor: float = 1.0

    @property
    def promql(self) -> str:
        """True for the series that it answers."""
        if isinstance(self.limit, Reading):
            return f"{self.reading.promql} {self.sign} {self.factor:g} * {self.limit.promql}"
        return f"{self.reading.promql} {self.sign} {self.limit * self.factor:.15g}"

    def of(self, samples: Samples, now: float) -> frozenset[Labels]:
        """The series for which it is true; one without a limit is not among them."""
        read = self.reading.of(samples, now)
        limits = self.limit.of(samples, now) if isinstance(self.limit, Reading) else dict.fromkeys(read, self.limit)
        compare = _COMPARE[self.sign]
        return frozenset(each for each, value in read.items() if each in limits and compare(value, limits[each] * self.factor))


@dataclass(frozen=True)
class Expression:
    """PromQL that only Prometheus can answer: it looks back in time, or for what is not there."""

    promql: str


def _by(operation: str, labels: tuple[str, ...], value: str) -> str:
    return f"{operation} by ({', '.join(labels)}) ({value})" if labels else f"{operation}({value})"
