"""All alerts, in the groups in which Prometheus evaluates them. One exists when it stands here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from alerts.model import Alert
from alerts.of_events import EVENTS
from alerts.of_jobs import JOBS, RECONCILIATION
from alerts.of_processes import PROCESSES
from alerts.of_sources import SOURCES

GROUPS: Final[Mapping[str, tuple[Alert, ...]]] = {
    "sync-events": EVENTS,
    "sync-jobs": JOBS,
    "sync-reconciliation": RECONCILIATION,
    "sync-sources": SOURCES,
    "sync-processes": PROCESSES,
}
ALERTS: Final = tuple(alert for group in GROUPS.values() for alert in group)
