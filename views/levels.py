"""How good or bad a figure is. Pages show a level by a sign and a word; the colour only repeats them."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final

#: Seconds that a partition may be behind.
LAG_WARNING: Final = 60.0
LAG_CRITICAL: Final = 300.0
#: Open dead letters of one flow.
DEAD_LETTERS_WARNING: Final = 1000
#: Share of what a replication slot may keep.
SLOT_WARNING: Final = 0.5
SLOT_CRITICAL: Final = 0.8
#: Seconds since a connector's last heartbeat.
HEARTBEAT_WARNING: Final = 60.0


class Level(StrEnum):
    """From good to bad."""

    OK = "ok"
    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        """Greater is worse."""
        return list(Level).index(self)


#: The states of flows, of partitions (``streams.lane.LaneState``, which pages may not import), of workers, of runs of jobs, of
#: connectors and their tasks, and the verdicts of the reconciliation.
STATES: Final = {
    "running": Level.OK,
    "succeeded": Level.OK,
    "equal": Level.OK,
    "repaired": Level.OK,
    "scheduled": Level.NOTICE,
    "deferred": Level.NOTICE,
    "coalesced": Level.NOTICE,
    "superseded": Level.NOTICE,
    "cancelled": Level.NOTICE,
    "restarting": Level.NOTICE,
    "unassigned": Level.WARNING,
    "undecided": Level.WARNING,
    "away": Level.CRITICAL,
    "failed": Level.CRITICAL,
    "missing": Level.CRITICAL,
    "differs": Level.CRITICAL,
    "open": Level.OK,
    "alive": Level.OK,
    "opening": Level.NOTICE,
    "recovering": Level.NOTICE,
    "rebuilding": Level.NOTICE,
    "paused": Level.NOTICE,
    "closed": Level.NOTICE,
    "waiting": Level.WARNING,
    "stale": Level.WARNING,
    "stopped": Level.CRITICAL,
}


def state_level(state: str) -> Level:
    """The level of a flow's, partition's or worker's state; one that we do not know is a warning."""
    return STATES.get(state, Level.WARNING)


def slot_level(wal_status: str | None, share: float | None) -> Level:
    """The level of a replication slot, by PostgreSQL's word and by the share of what it may keep."""
    if wal_status == "lost" or (share or 0) >= SLOT_CRITICAL:
        return Level.CRITICAL
    return Level.WARNING if wal_status == "unreserved" or (share or 0) >= SLOT_WARNING else Level.OK


def heartbeat_level(age_seconds: float | None) -> Level:
    """The level of the age of a heartbeat; ``None``: there never was one."""
    return Level.OK if age_seconds is not None and age_seconds <= HEARTBEAT_WARNING else Level.WARNING


def lag_level(seconds: float | None) -> Level:
    """The level of a lag in seconds; ``None`` where nothing is read."""
    if seconds is None:
        return Level.OK
    if seconds > LAG_CRITICAL:
        return Level.CRITICAL
    return Level.WARNING if seconds > LAG_WARNING else Level.OK


def latency_level(p99_ms: float | None, objective: timedelta) -> Level:
    """The level of commit → visible against the flow's objective."""
    missed = p99_ms is not None and p99_ms > objective.total_seconds() * 1000
    return Level.WARNING if missed else Level.OK


def letter_level(status: str) -> Level:
    """The level of a dead letter's status: open ones need a look, settled ones none."""
    return {"open": Level.WARNING, "replayed": Level.NOTICE}.get(status, Level.OK)


def dead_letter_level(count: int) -> Level:
    """The level of a number of open dead letters in one flow."""
    if count > DEAD_LETTERS_WARNING:
        return Level.WARNING
    return Level.NOTICE if count else Level.OK
