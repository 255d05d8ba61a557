"""What Prometheus gets from a process."""

import time
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Scrape:
    """Samples by name and labels. ``at`` in seconds since 1970; ``seconds`` until the whole answer was there."""

    samples: dict[str, dict[Labels, float]]
    types: dict[str, str]
    at: float
    seconds: float

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the only series that has these labels, and maybe others."""
        found = [value for each, value in self.samples.get(name, {}).items() if labels.items() <= dict(each).items()]
        assert len(found) <= 1, f"{name}{labels} has {len(found)} series"
        return found[0] if found else None


def parse(text: str, at: float = 0.0, seconds: float = 0.0) -> Scrape:
    """Read Prometheus' text; two samples of one series are an error."""
    samples: dict[str, dict[Labels, float]] = {}
    types: dict[str, str] = {}
    for family in text_string_to_metric_families(text):
        types[family.name] = family.type
        for sample in family.samples:
            series, labels = samples.setdefault(sample.name, {}), frozenset(sample.labels.items())
            assert labels not in series, f"{sample.name} {sample.labels} stands twice"
            series[labels] = sample.value
    return Scrape(samples, types, at, seconds)


def scrape(address: str) -> Scrape:
    """Ask a process."""
    # The client first: it reads certificates for ten times as long as the answer takes.
    with httpx.Client(timeout=10) as client:
        began = time.perf_counter()
        answer = client.get(f"{address}/metrics")
        took = time.perf_counter() - began
    answer.raise_for_status()
    return parse(answer.text, time.time(), took)
