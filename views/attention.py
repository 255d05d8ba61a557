"""What needs a look, worst first, in words that stay the same while figures move."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sinks.flow_state import RUNNING
from views.flow_lines import UNKNOWN
from views.formatting import count, duration
from views.levels import (
    DEAD_LETTERS_WARNING,
    LAG_CRITICAL,
    LAG_WARNING,
    Level,
    dead_letter_level,
    lag_level,
    state_level,
)
from views.model import Attention, FlowLine, ThisWorker, WorkerLine


def attention(
    worker: ThisWorker, flows: Sequence[FlowLine], workers: Sequence[WorkerLine], others: Iterable[Attention]
) -> tuple[Attention, ...]:
    """Collect the points, with those of ``others`` than flows and workers; no point: nothing is known to be wrong."""
    points = [point for flow in flows for point in _flow_points(flow)]
    points += others
    points += [
        Attention(Level.WARNING, f"worker {line.name}: its report cannot be read", "/workers#workers")
        for line in workers
        if line.problem
    ]
    if worker.errors:
        points.append(Attention(Level.NOTICE, "this worker: partitions had an error", "/workers#worker"))
    return tuple(sorted(points, key=lambda point: -point.level.severity))


def _flow_points(flow: FlowLine) -> Iterator[Attention]:
    if flow.state not in {RUNNING, UNKNOWN}:
        yield Attention(state_level(flow.state), f"{flow.name} is {flow.state}", "#flows")
    if flow.lost is not None:
        yield Attention(Level.CRITICAL, f"{flow.name} has lost changes: {flow.lost}", "#flows")
    if flow.owned < flow.partitions:
        whose = "no partition is" if flow.owned == 0 else "some partitions are not"
        yield Attention(
            Level.WARNING if flow.owned else Level.CRITICAL, f"{flow.name}: {whose} read by any worker", "/workers#partitions"
        )
    yield from _figure_points(flow)


def _figure_points(flow: FlowLine) -> Iterator[Attention]:
    late = lag_level(flow.lag_seconds)
    if late is not Level.OK:
        limit = LAG_CRITICAL if late is Level.CRITICAL else LAG_WARNING
        yield Attention(late, f"{flow.name} is more than {duration(limit)} behind", "#flows")
    if flow.p99_level is not Level.OK:
        yield Attention(flow.p99_level, f"{flow.name}: commit to visible misses its objective", "#flows")
    letters = dead_letter_level(flow.dead_letters)
    if letters is not Level.OK:
        how_many = f"more than {count(DEAD_LETTERS_WARNING)} " if letters is Level.WARNING else ""
        yield Attention(letters, f"{flow.name} has {how_many}open dead letters", "#flows")
