"""Alerts of event flows: lag, errors, rates, loss."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from alerts import wording
from alerts.condition import Comparison, Expression, Reading
from alerts.model import IN_MAINTENANCE, Alert, Severity
from metrics import catalogue as m
from settings import Alerts

ERROR_SHARE: Final = 0.01
RATE_DROP: Final = 0.5
#: Events in an hour below which a drop says nothing.
RATE_FLOOR: Final = 100
QUANTILE: Final = 0.99

_FLOW: Final = ("flow",)
_LAG: Final = Reading(m.LAG_SECONDS, _FLOW)
#: An operator knows that a paused flow is behind.
_PAUSED: Final = Comparison(Reading(m.FLOW_STATE, _FLOW, {"state": ("paused",)}), ">", 0)

_BAD: Final = f'sum by (flow) (rate({m.EVENTS_TOTAL.name}{{outcome="dead_lettered"}}[10m]))'
_ALL: Final = f"sum by (flow) (rate({m.EVENTS_TOTAL.name}[10m]))"
_HOUR: Final = f"sum by (flow) (increase({m.EVENTS_TOTAL.name}[1h]))"
_LAST_WEEK: Final = f"sum by (flow) (increase({m.EVENTS_TOTAL.name}[1h] offset 1w))"
_P99: Final = f"histogram_quantile({QUANTILE:g}, sum by (flow, le) (rate({m.EVENT_AGE.name}_bucket[5m])))"


def events(limits: Alerts) -> tuple[Alert, ...]:
    """In the order of their runbooks."""
    return (
        Alert(
            name="SyncFlowStopped",
            severity=Severity.CRITICAL,
            condition=Comparison(Reading(m.FLOW_STATE, _FLOW, {"state": ("stopped",)}), ">", 0),
            says="Flow {flow} has stopped itself and waits for a decision; nothing of it is applied, nothing is lost.",
        ),
        Alert(
            name="SyncFlowPaused",
            severity=Severity.WARNING,
            condition=_PAUSED,
            says="Flow {flow} has been paused by an operator for more than an hour: was it forgotten?",
            lasting=timedelta(hours=1),
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncLag",
            severity=Severity.WARNING,
            condition=Comparison(_LAG, ">", limits.lag_warning),
            says=f"Flow {{flow}} is more than {wording.time(limits.lag_warning)} behind its source.",
            lasting=timedelta(minutes=1),
            quiet_while=(IN_MAINTENANCE, _PAUSED),
        ),
        Alert(
            name="SyncLagCritical",
            severity=Severity.CRITICAL,
            condition=Comparison(_LAG, ">", limits.lag_critical),
            says=f"Flow {{flow}} is more than {wording.time(limits.lag_critical)} behind its source: citizens see old data.",
            lasting=timedelta(minutes=1),
            quiet_while=(IN_MAINTENANCE, _PAUSED),
        ),
        Alert(
            name="SyncObjectiveMissed",
            severity=Severity.WARNING,
            condition=Expression(f"{_P99} > max by (flow) ({m.OBJECTIVE.name})"),
            says="The slowest percent of the changes of flow {flow} takes longer to become visible than the flow allows.",
            lasting=timedelta(minutes=10),
            quiet_while=(IN_MAINTENANCE,),
        ),
        Alert(
            name="SyncErrorRate",
            severity=Severity.WARNING,
            condition=Expression(f"{_BAD} / {_ALL} > {ERROR_SHARE:g}"),
            says="More than 1 % of the records of flow {flow} become dead letters.",
            lasting=timedelta(minutes=2),
        ),
        Alert(
            name="SyncDeadLetters",
            severity=Severity.WARNING,
            condition=Comparison(Reading(m.DEAD_LETTERS, _FLOW, total=True), ">", limits.dead_letters),
            says=f"Flow {{flow}} has more than {limits.dead_letters} open dead letters: those rows stay at a last good version.",
        ),
        Alert(
            name="SyncRateDrop",
            severity=Severity.WARNING,
            condition=Expression(f"({_LAST_WEEK} >= {RATE_FLOOR}) unless on (flow) ({_HOUR} >= {RATE_DROP:g} * {_LAST_WEEK})"),
            says="Flow {flow} carries less than half of the events of the same hour last week.",
            lasting=timedelta(minutes=15),
            quiet_while=(IN_MAINTENANCE, _PAUSED),
        ),
        Alert(
            name="SyncUpstreamLoss",
            severity=Severity.CRITICAL,
            condition=Comparison(Reading(m.UPSTREAM_LOSS, ("flow", "kind")), ">", 0),
            says="Changes of flow {flow} cannot come by events any more ({kind}); the target misses them until it is read again.",
        ),
    )
