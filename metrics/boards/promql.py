"""What panels ask, by who tells a metric (see :class:`metrics.model.Scope`)."""

from __future__ import annotations

from typing import Final

from metrics.model import Metric

#: The flows that the reader has chosen.
CHOSEN: Final = 'flow=~"$flow"'


def newest(metric: Metric, by: str, where: str = "") -> str:
    """A fact that every worker tells."""
    return f"max by ({by}) ({metric.name}{{{where}}})"


def total(metric: Metric, by: str, where: str = "") -> str:
    """Facts that every worker tells, what other labels tell apart added up."""
    return f"sum by ({by}) ({newest(metric, ', '.join(metric.labels), where)})"


def rate(metric: Metric, by: str, where: str = "") -> str:
    """What all processes do together, a second."""
    return f"sum by ({by}) (rate({metric.name}{{{where}}}[$__rate_interval]))"


def slowest(metric: Metric, by: str, where: str = "") -> str:
    """What 99 % of the values of a histogram do not exceed."""
    return f"histogram_quantile(0.99, sum by ({by}, le) (rate({metric.name}_bucket{{{where}}}[$__rate_interval])))"


def ago(metric: Metric, by: str) -> str:
    """Of a time: how many seconds have passed."""
    return f"time() - {newest(metric, by)}"


def share(part: str, whole: str) -> str:
    """One by the other, label by label."""
    return f"{part} / {whole}"
