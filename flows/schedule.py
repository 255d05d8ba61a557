"""When batch jobs of a flow run: the declaration, of which the calendar makes moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_FIELD: Final = r"(\*|\d{1,2}(-\d{1,2})?(,\d{1,2}(-\d{1,2})?)*)(/\d{1,2})?"
_CRON: Final = re.compile(rf"{_FIELD}( {_FIELD}){{3}} ({_FIELD}|(mon|tue|wed|thu|fri|sat|sun)(#[1-5])?)")


@dataclass(frozen=True)
class After:
    """A job waits until that day's run of ``job`` has ended, well or badly; at most ``within`` beyond its own time."""

    job: str
    within: timedelta


@dataclass(frozen=True)
class Schedule:
    """A job: ``cron`` in UTC, five fields, empty: it runs only when somebody asks for it.

    ``expected`` is how long a run may take before people are told.

    ``lane``: of the jobs of one lane one runs at a time; empty: the job takes the lanes of others. ``avoids_peak``: it does not
    start in the portal's peak hours. ``after``: what it waits for. ``superseded_by``: the job that does all that this one does,
    and more. ``often``: a slot in a maintenance window is left to the first one after it, instead of being made good.
    ``changed``: the source column with the time of a row's last change, by which a run finds what has changed since the last good
    run, and at least within ``window``; ``None``: it reads all. ``yields``: other jobs of its lane go first, even when it has
    begun.
    """

    job: str
    cron: str
    expected: timedelta
    lane: str = ""
    avoids_peak: bool = False
    after: After | None = None
    superseded_by: str | None = None
    often: bool = False
    changed: str | None = None
    window: timedelta = timedelta(0)
    yields: bool = False

    def __post_init__(self) -> None:
        if self.cron and not _CRON.fullmatch(self.cron):
            raise ValueError(
                f"job {self.job}: {self.cron!r} is not a cron line of five fields, such as '30 0 * * *' (00:30 UTC daily)"
            )
        if self.expected <= timedelta(0):
            raise ValueError(f"job {self.job}: the expected duration must be positive")
        if self.after is not None and self.after.within < timedelta(0):
            raise ValueError(f"job {self.job}: it cannot wait for {self.after.job} for less than no time")
