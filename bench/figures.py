"""A figure: the product's value beside a peer's of the same run, and what was promised of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Of(StrEnum):
    """What a goal speaks of."""

    RATIO = "ratio"
    VALUE = "value"


@dataclass(frozen=True)
class Goal:
    """``lowest`` or ``highest`` allowed ratio or value; one of them is given."""

    of: Of
    lowest: float | None = None
    highest: float | None = None

    def met_by(self, figure: "Figure") -> bool:
        """Tell whether the figure keeps the promise."""
        found = figure.ratio if self.of is Of.RATIO else figure.ours
        return (self.lowest is None or found >= self.lowest) and (self.highest is None or found <= self.highest)

    def __str__(self) -> str:
        sign, limit = ("≥", self.lowest) if self.lowest is not None else ("≤", self.highest)
        return f"{sign} {limit:g}{'x' if self.of is Of.RATIO else ''}"


@dataclass(frozen=True)
class Figure:
    """``ours`` and ``theirs`` in ``unit``; ``peer`` is the one that ``theirs`` was measured with."""

    measure: str
    unit: str
    ours: float
    peer: str
    theirs: float
    goal: Goal | None = None

    @property
    def ratio(self) -> float:
        """Ours divided by theirs."""
        return self.ours / self.theirs if self.theirs else float("inf")

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached, ``None`` without one."""
        return None if self.goal is None else self.goal.met_by(self)

    def document(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {
            "measure": self.measure,
            "unit": self.unit,
            "ours": self.ours,
            "peer": self.peer,
            "theirs": self.theirs,
            "ratio": self.ratio,
            "goal": None if self.goal is None else str(self.goal),
            "met": self.met,
        }

    def row(self) -> tuple[str, ...]:
        """Return the cells of its row in the table, see :data:`COLUMNS`."""
        verdict = {None: "", True: "met", False: "MISSED"}[self.met]
        goal = "" if self.goal is None else str(self.goal)
        return (self.measure, _short(self.ours), self.unit, self.peer, _short(self.theirs), f"{self.ratio:.2f}x", goal, verdict)


COLUMNS = ("measure", "ours", "unit", "peer", "theirs", "ours / theirs", "goal", "")


def percentile(values: Iterable[float], share: float) -> float:
    """Return the value below which ``share`` of the values lie (nearest rank); raises ``ValueError`` without values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values: a percentile of nothing")
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def missed(figures: Sequence[Figure]) -> list[Figure]:
    """Return the figures that keep no promise."""
    return [figure for figure in figures if figure.met is False]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 three digits say enough
