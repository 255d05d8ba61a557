"""The page of one run of the reconciliation: a file that needs nothing else, for who reads it weeks later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from views.rendering import STATIC_FOLDER, Renderer

#: The picture's width, in its own units.
WIDTH: Final = 600.0
#: What there is of a kind is seen, however little it is.
LEAST: Final = 6.0

#: Name in the legend and class of colour; what was compared and is none of these was equal.
PARTS: Final = (("repaired", "notice"), ("left", "critical"), ("listed", "warning"))
_LISTED: Final = ("quarantined", "waiting", "edge", "moving")


@dataclass(frozen=True)
class Segment:
    """A part of a flow's bar: ``start`` and ``width`` in units of the picture."""

    name: str
    level: str
    rows: int
    start: float
    width: float


def reconciliation_page(document: Mapping[str, Any]) -> str:
    """Render the document of ``reconcile.report.report``."""
    bars = {flow["flow"]: segments(flow) for flow in document["flows"]}
    style = (STATIC_FOLDER / "style.css").read_text(encoding="utf-8")
    return Renderer().page("reconciliation.html", run=document, bars=bars, style=style, width=WIDTH, parts=PARTS)


def segments(flow: Mapping[str, Any]) -> list[Segment]:
    """Equal, repaired, left and listed rows side by side; to scale but for what would be too narrow to see."""
    differing = flow["missing"] + flow["extra"] + flow["different"]
    counts = {"repaired": flow["repaired"], "left": differing - flow["repaired"], "listed": sum(flow[name] for name in _LISTED)}
    equal = max(flow["compared"] - flow["missing"] - flow["extra"] - flow["different"] - counts["listed"], 0)
    sized = [("equal", "ok", equal), *((name, level, counts[name]) for name, level in PARTS)]
    shown = [(name, level, rows) for name, level, rows in sized if rows]
    total = sum(rows for *_, rows in shown)
    room = WIDTH - LEAST * len(shown)
    found, start = [], 0.0
    for name, level, rows in shown:
        width = LEAST + room * rows / total
        found.append(Segment(name, level, rows, round(start, 2), round(width, 2)))
        start += width
    return found
