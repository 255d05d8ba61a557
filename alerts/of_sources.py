"""Alerts of connectors, replication slots and heartbeats: the way from a source to the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from alerts import wording
from alerts.condition import Comparison, Expression, Reading
from alerts.model import IN_MAINTENANCE, Alert, Severity
from metrics import catalogue as m
from settings import Alerts

_DATABASE: Final = ("database",)
#: Neither running nor on its way there.
_DOWN: Final = ("failed", "missing", "paused", "stopped", "unassigned")
_HEARTBEAT: Final = f"max by (database) ({m.HEARTBEAT_AGE.name})"


def sources(limits: Alerts) -> tuple[Alert, ...]:
    """In the order of their runbooks."""
    silence, kept = wording.time(limits.heartbeat_silence), wording.size(limits.slot_bytes)
    half, most = wording.share(limits.slot_warning), wording.share(limits.slot_critical)
    return (
        Alert(
            name="SyncConnectorDown",
            severity=Severity.CRITICAL,
            condition=Comparison(Reading(m.CONNECTOR_STATE, ("connector",), {"state": _DOWN}), ">", 0),
            says="Connector {connector} does not run: changes wait in the source, whose disk fills.",
            lasting=timedelta(minutes=2),
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncConnectorTaskFailed",
            severity=Severity.CRITICAL,
            condition=Comparison(Reading(m.CONNECTOR_TASKS, ("connector",), {"state": ("failed",)}), ">", 0),
            says="The task of connector {connector} has failed: changes wait in the source, whose disk fills.",
            lasting=timedelta(minutes=2),
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncHeartbeatSilent",
            severity=Severity.CRITICAL,
            condition=Expression(
                f"{_HEARTBEAT} > {limits.heartbeat_silence:g}"
                f" or (max by (database) ({m.SLOT_ACTIVE.name}) unless on (database) {_HEARTBEAT})"
            ),
            without_prometheus=Comparison(Reading(m.HEARTBEAT_AGE, _DATABASE), ">", limits.heartbeat_silence),
            says=f"No heartbeat of database {{database}} has come through for {silence}: its changes do not come either.",
            lasting=timedelta(minutes=1),
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncSlotHalf",
            severity=Severity.WARNING,
            condition=Comparison(Reading(m.SLOT_SHARE, _DATABASE), ">=", limits.slot_warning),
            says=f"The replication slot in database {{database}} holds {half} of what it may before it is lost.",
            lasting=timedelta(minutes=1),
        ),
        Alert(
            name="SyncSlotNearlyLost",
            severity=Severity.CRITICAL,
            condition=Comparison(Reading(m.SLOT_SHARE, _DATABASE), ">=", limits.slot_critical),
            says=f"The replication slot in database {{database}} holds {most} of what it may: it will soon be lost,"
            " and changes with it.",
        ),
        Alert(
            name="SyncSlotRetains",
            severity=Severity.WARNING,
            condition=Comparison(Reading(m.SLOT_RETAINED, _DATABASE), ">", limits.slot_bytes),
            says=f"The replication slot in database {{database}} keeps more than {kept} of WAL on the source's disk.",
            lasting=timedelta(minutes=1),
        ),
        Alert(
            name="SyncSlotLost",
            severity=Severity.CRITICAL,
            condition=Comparison(Reading(m.SLOT_STATE, _DATABASE, {"state": ("lost", "missing")}), ">", 0),
            says="The replication slot in database {database} is lost: changes that were not read will not come by themselves.",
            lasting=timedelta(minutes=1),
        ),
    )
