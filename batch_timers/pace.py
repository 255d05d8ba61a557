"""How fast a run may go, so that events do not wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from batch_timers.closures import Calendar


@dataclass(frozen=True)
class Pace:
    """Rows per second, and in the portal's peak hours. 0: as fast as it goes."""

    usual: int
    peak: int

    def seconds(self, rows: int, at: datetime) -> float:
        """How long a chunk of so many rows is to take."""
        closure = Calendar().closed_at(at, avoids_peak=True)
        rate = self.peak if closure is not None and not closure.maintenance else self.usual
        return rows / rate if rate else 0.0
