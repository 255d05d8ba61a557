"""How far the reconciliation of one flow has come, and what it has found: all that a run needs to go on elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from reconcile.judging import Difference
from reconcile.listing import Listed

#: So many differing rows are shown; all are counted.
SHOWN: Final = 200

REPAIRED: Final = "repaired"
LEFT: Final = "left"
FOUND: Final = "found"


class ShownRow(msgspec.Struct, frozen=True):
    """A row that differed or is listed. ``outcome``: what became of it; ``reason``: why it is left."""

    key: str
    item: str
    what: str
    columns: tuple[str, ...] = ()
    outcome: str = FOUND
    reason: str | None = None


class Violation(msgspec.Struct, frozen=True):
    """Rows of the target that break a rule, and some of their keys."""

    rule: str
    rows: int
    keys: tuple[str, ...] = ()


class Progress(msgspec.Struct, kw_only=True):
    """``expected`` and ``standing`` count rows that were compared, the rest up to ``left`` rows, the listed ones keys.

    ``cursor``: the key from which on nothing was compared yet. ``finished``: nothing is left to compare. ``columns``: in how many
    rows each differed. ``statements`` went to the databases to compare ranges. ``untouched``: rows of which a light run only
    compared the number.
    """

    cursor: str | None = None
    finished: bool = False
    expected: int = 0
    standing: int = 0
    missing: int = 0
    extra: int = 0
    different: int = 0
    repaired: int = 0
    left: int = 0
    quarantined: int = 0
    waiting: int = 0
    edge: int = 0
    moving: int = 0
    seconds: float = 0.0
    statements: int = 0
    untouched: int = 0
    columns: dict[str, int] = {}
    rows: list[ShownRow] = []
    violations: list[Violation] = []

    @property
    def differing(self) -> int:
        """Rows that differed when they were found."""
        return self.missing + self.extra + self.different

    @property
    def good(self) -> bool:
        """Whether nothing is wrong now."""
        return self.finished and self.repaired == self.differing and not self.violations

    def found(self, different: Mapping[str, Sequence[Difference]]) -> None:
        """Count rows that differ."""
        rows = [row for rows in different.values() for row in rows]
        for row in rows:
            setattr(self, row.what, getattr(self, row.what) + 1)
        self.columns = dict(Counter(self.columns) + Counter(column for row in rows for column in row.columns))

    def settled(self, rows: Iterable[Difference], outcome: str, reasons: Mapping[str, str]) -> None:
        """Count what became of rows; show them while there is room."""
        for row in rows:
            if outcome != FOUND:
                setattr(self, outcome, getattr(self, outcome) + 1)
            self._show(ShownRow(row.key, row.item, row.what, row.columns, outcome, reasons.get(row.key)))

    def listed(self, keys: Mapping[str, Listed]) -> None:
        """Count keys of which nobody may say that they differ."""
        for key, why in keys.items():
            setattr(self, why, getattr(self, why) + 1)
            self._show(ShownRow(key, "", why))

    def _show(self, row: ShownRow) -> None:
        if len(self.rows) < SHOWN:
            self.rows.append(row)
