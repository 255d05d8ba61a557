"""Alerts of our own processes. The names of Prometheus' jobs are those of `deploy/prometheus/prometheus.yml`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from alerts.condition import Comparison, Expression, Reading
from alerts.model import IN_MAINTENANCE, Alert, Severity
from metrics import catalogue as m

WORKERS: Final = "sync-worker"
CALLBACKS: Final = "sync-callbacks"

PROCESSES: Final = (
    Alert(
        name="SyncNoWorker",
        severity=Severity.CRITICAL,
        condition=Expression(f'absent(up{{job="{WORKERS}"}} == 1)'),
        says="No worker answers Prometheus: nothing is synchronised, or nobody would see it.",
        lasting=timedelta(minutes=1),
    ),
    Alert(
        name="SyncNoCallbacks",
        severity=Severity.CRITICAL,
        condition=Expression(f'absent(up{{job="{CALLBACKS}"}} == 1)'),
        says="No intake of callbacks answers Prometheus: forecasts and alerts are probably not taken.",
        lasting=timedelta(minutes=1),
    ),
    Alert(
        name="SyncTargetDown",
        severity=Severity.WARNING,
        condition=Expression(f'up{{job=~"{WORKERS}|{CALLBACKS}"}} == 0'),
        says="{instance} does not answer Prometheus; others may have taken over.",
        lasting=timedelta(minutes=2),
    ),
    Alert(
        name="SyncPartitionUnowned",
        severity=Severity.CRITICAL,
        condition=Expression(f"count by (flow) (max by (flow, topic, partition) ({m.OWNED.name}) == 0) > 0"),
        says="Nobody reads some partitions of flow {flow}: part of its changes is not applied.",
        lasting=timedelta(minutes=2),
    ),
    Alert(
        name="SyncWorkerNotReady",
        severity=Severity.WARNING,
        condition=Expression(f"max by (instance) ({m.READY.name}) < 1"),
        says="The worker at {instance} runs but is not ready.",
        lasting=timedelta(minutes=10),
        quiet_while=(IN_MAINTENANCE,),
    ),
    Alert(
        name="SyncCallbacksNotReady",
        severity=Severity.CRITICAL,
        condition=Expression(f"max({m.CALLBACKS_READY.name}) < 1"),
        says="The intake of callbacks runs and cannot take any: senders are told to come again.",
        lasting=timedelta(minutes=2),
    ),
    Alert(
        name="SyncBlind",
        severity=Severity.WARNING,
        condition=Comparison(Reading(m.COLLECTOR_UP, ("source",)), "<", 1),
        says="No worker can ask {source} how it is: alerts about it may be missing.",
        lasting=timedelta(minutes=2),
        quiet_while=(IN_MAINTENANCE,),
    ),
)
