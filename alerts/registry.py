"""All alerts, in the groups in which Prometheus evaluates them. One exists when it stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from alerts.model import Alert
from alerts.of_events import events
from alerts.of_jobs import RECONCILIATION, jobs
from alerts.of_processes import PROCESSES
from alerts.of_sources import sources
from settings import Alerts


def groups_with(limits: Alerts) -> Mapping[str, tuple[Alert, ...]]:
    """The groups with these thresholds."""
    groups = {
        "sync-events": events(limits),
        "sync-jobs": jobs(limits),
        "sync-reconciliation": RECONCILIATION,
        "sync-sources": sources(limits),
        "sync-processes": PROCESSES,
    }
    return {
        name: tuple(replace(each, lasting=each.lasting * limits.patience) for each in group) for name, group in groups.items()
    }


def alerts_with(limits: Alerts) -> tuple[Alert, ...]:
    """All of them with these thresholds."""
    return tuple(alert for group in groups_with(limits).values() for alert in group)


#: With the thresholds that nobody has changed.
GROUPS: Final = groups_with(Alerts())
ALERTS: Final = alerts_with(Alerts())
