"""The charts of a flow and the table with the same figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from views.chart import Line, Point, Span, line
from views.levels import LAG_WARNING

if TYPE_CHECKING:
    from flows.model import Flow
    from sinks.operations.samples import Sample

#: Hours that can be chosen → step; so that a chart has about 180 points however long it is.
STEPS: Final[Mapping[int, timedelta]] = {
    1: timedelta(seconds=15),
    6: timedelta(minutes=2),
    24: timedelta(minutes=10),
    168: timedelta(hours=1),
}
USUAL_HOURS: Final = 6


@dataclass(frozen=True)
class History:
    """``lines`` are drawn from ``samples``."""

    hours: int
    step_seconds: float
    samples: tuple[Sample, ...]
    lines: tuple[Line, ...]


def span_of(asked: str | None, now: datetime) -> tuple[int, Span]:
    """The hours that a reader asks for, of those that can be chosen, and what they span."""
    hours = int(asked) if asked in {str(each) for each in STEPS} else USUAL_HOURS
    return hours, Span(now - timedelta(hours=hours), now, STEPS[hours])


def history(flow: Flow, hours: int, span: Span, found: Sequence[Sample]) -> History:
    """Draw rate, lag and latency."""
    objective = flow.latency.total_seconds() * 1000
    lines = (
        line("Rate", "rate", [(each.at, each.rate) for each in found], span),
        line("Lag", "duration", [(each.at, each.lag_seconds) for each in found], span, LAG_WARNING),
        line("Records behind", "count", [_behind(each) for each in found], span),
        line("Commit to visible, p99", "milliseconds", [(each.at, each.p99_ms) for each in found], span, objective),
    )
    return History(hours, span.step.total_seconds(), tuple(found), lines)


def _behind(sample: Sample) -> Point:
    return sample.at, None if sample.lag_records is None else float(sample.lag_records)
