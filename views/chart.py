"""Lines over time as SVG, drawn by the server: no script draws, and the same figures stand in a table beside them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

#: Size in the picture's own units; the page stretches it.
WIDTH: Final = 600.0
HEIGHT: Final = 120.0

Point = tuple[datetime, float | None]


@dataclass(frozen=True)
class Line:
    """What is drawn, and the words for who does not see it. ``unit`` names the filter that renders a value.

    ``paths`` are polylines without gaps, ``limit`` the height of a line to stay below, both in units of the picture; ``None``:
    outside of it. ``top`` is the value at the upper edge, 0 is at the lower one.
    """

    title: str
    unit: str
    paths: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    top: float
    newest: float | None
    least: float | None
    greatest: float | None
    limit: float | None = None


@dataclass(frozen=True)
class Span:
    """The time that a chart shows, in steps of ``step``."""

    start: datetime
    end: datetime
    step: timedelta

    def place(self, at: datetime) -> float:
        """From left to right."""
        return round(WIDTH * ((at - self.start) / (self.end - self.start)), 1)


def line(title: str, unit: str, points: Sequence[Point], span: Span, limit: float | None = None) -> Line:
    """Draw the points, oldest first; where none is for more than a step there is a gap."""
    values = [value for _, value in points if value is not None]
    top = rounded_up(max(values, default=0.0))
    runs = [[(span.place(at), _height(value, top)) for at, value in run] for run in _runs(points, span.step)]
    return Line(
        title=title,
        unit=unit,
        paths=tuple(" ".join(f"{x:g},{y:g}" for x, y in run) for run in runs if len(run) > 1),
        dots=tuple(run[0] for run in runs if len(run) == 1),
        top=top,
        newest=values[-1] if values else None,
        least=min(values, default=None),
        greatest=max(values, default=None),
        limit=None if limit is None or limit > top else _height(limit, top),
    )


def _height(value: float, top: float) -> float:
    return round(HEIGHT * (1 - value / top), 1)


def _runs(points: Sequence[Point], step: timedelta) -> Iterator[list[tuple[datetime, float]]]:
    """Stretches without a gap."""
    known = [(at, value) for at, value in points if value is not None]
    breaks = [place for place, ((before, _), (at, _)) in enumerate(pairwise(known), 1) if at - before > step * 1.5]
    for start, end in pairwise([0, *breaks, len(known)]):
        if known[start:end]:
            yield known[start:end]


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 … (and 0.1 …) that is not less; 1 for nothing."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in (1, 2, 5) if step * power >= value), 10 * power)
