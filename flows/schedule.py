"""When batch jobs of a flow run: the declaration, of which the calendar makes moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_FIELD: Final = r"(\*|\d{1,2}(-\d{1,2})?(,\d{1,2}(-\d{1,2})?)*)(/\d{1,2})?"
_CRON: Final = re.compile(rf"{_FIELD}( {_FIELD}){{3}} ({_FIELD}|(mon|tue|wed|thu|fri|sat|sun)(#[1-5])?)")


@dataclass(frozen=True)
class Schedule:
    """A job: ``cron`` in UTC, five fields; ``expected`` is how long a run may take before people are told.

    ``avoids_peak``: it does not start in the portal's peak hours.
    """

    job: str
    cron: str
    expected: timedelta
    avoids_peak: bool = False

    def __post_init__(self) -> None:
        if not _CRON.fullmatch(self.cron):
            raise ValueError(
                f"job {self.job}: {self.cron!r} is not a cron line of five fields, such as '30 0 * * *' (00:30 UTC daily)"
            )
        if self.expected <= timedelta(0):
            raise ValueError(f"job {self.job}: the expected duration must be positive")
