"""A dashboard as Grafana reads it: rows of panels, laid out from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

WIDTH: Final = 24  # Grafana's columns
HEIGHT: Final = 8
SCHEMA_VERSION: Final = 39
#: The data source that the reader chooses.
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """``lines``: what a series is called (Grafana's ``{{label}}``) → PromQL. ``unit``: Grafana's name of it.

    ``now``: shows the present value alone; otherwise its course.
    """

    title: str
    meaning: str
    unit: str
    lines: Mapping[str, str]
    now: bool = False


@dataclass(frozen=True)
class Board:
    """``uid``: part of its address. ``flows``: the reader may choose flows, which PromQL calls ``$flow``."""

    uid: str
    title: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    flows: str | None = None


def rendered(board: Board) -> dict[str, Any]:
    """The JSON of a dashboard, ready for provisioning; times are UTC."""
    return {
        "uid": board.uid,
        "title": board.title,
        "tags": ["smart-sync"],
        "timezone": "utc",
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(board))},
        "panels": list(_panels(board)),
    }


def _variables(board: Board) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}
    if board.flows is not None:
        yield {
            "name": "flow",
            "type": "query",
            "label": "Flow",
            "datasource": _SOURCE,
            "query": f"label_values({board.flows}, flow)",
            "multi": True,
            "includeAll": True,
            "refresh": 2,
        }


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for title, panels in board.rows:
        number += 1
        yield {"id": number, "type": "row", "title": title, "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}, "panels": []}
        top += 1
        width = WIDTH // len(panels)
        for place, panel in enumerate(panels):
            number += 1
            yield {"id": number, **_panel(panel), "gridPos": {"x": place * width, "y": top, "w": width, "h": HEIGHT}}
        top += HEIGHT


def _panel(panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + number), "expr": promql, "legendFormat": name, "instant": panel.now, "range": not panel.now}
        for number, (name, promql) in enumerate(panel.lines.items())
    ]
    return {
        "type": "stat" if panel.now else "timeseries",
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
        "targets": targets,
    }
