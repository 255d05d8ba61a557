"""Whom to tell what, given what was told before and what is so now. Pure: no clock is read, nothing is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from alerts.model import Alert
from metrics.catalogue import COLLECTOR_UP
from metrics.samples import Samples
from sinks.operations.alert_states import AlertState

_NAMESPACE: Final = uuid.UUID("7d0c9f5e-6f0b-5b0a-9a51-3f1f0a4f7c11")


class Kind(StrEnum):
    """What a message is about, as its receiver reads it."""

    FIRING = "alert.firing"
    RESOLVED = "alert.resolved"


@dataclass(frozen=True)
class Notice:
    """A message, and what is to be remembered once it has arrived: ``after``, or nothing more of ``before``."""

    kind: Kind
    alert: Alert
    before: AlertState
    after: AlertState | None

    @property
    def webhook_id(self) -> str:
        """The same for the same message: its receiver can drop what it has got already."""
        labels = ",".join(f"{name}={value}" for name, value in self.before.labels)
        told = f"{self.alert.name}|{labels}|{self.before.since.isoformat()}|{self.kind}|{self.before.tellings}"
        return f"msg_{uuid.uuid5(_NAMESPACE, told).hex}"

    @property
    def body(self) -> dict[str, Any]:
        """The document of the message; labels are names from definitions, no row's content is in it."""
        return {
            "type": self.kind.value,
            "alert": self.alert.name,
            "severity": self.alert.severity.value,
            "labels": dict(self.before.labels),
            "summary": self.alert.says.format(**dict(self.before.labels)),
            "runbook": self.alert.anchor,
            "since": self.before.since.isoformat(),
            "telling": self.before.tellings + 1,
        }


@dataclass(frozen=True)
class Judgement:
    """``begun``: are so from now on, nobody is told yet. ``over``: ended before anybody was told. ``notices``: to be sent."""

    begun: Sequence[AlertState]
    over: Sequence[AlertState]
    notices: Sequence[Notice]


def judge(
    alerts: Iterable[Alert], samples: Samples, remembered: Iterable[AlertState], now: datetime, repeat: timedelta
) -> Judgement:
    """While something could not be asked, nothing is called over: what is not known has no samples."""
    known = {(state.alert, state.labels): state for state in remembered}
    named = {alert.name: alert for alert in alerts}
    firing = {(alert.name, tuple(sorted(labels))) for alert in named.values() for labels in alert.of(samples, now.timestamp())}
    begun = [AlertState(*key, since=now) for key in sorted(firing - known.keys())]
    ended = [state for key, state in known.items() if key not in firing and all_asked(samples)]
    still = [state for key, state in known.items() if key in firing]
    told = [each for state in [*begun, *still] if (each := _due(named[state.alert], state, now, repeat))]
    resolved = [Notice(Kind.RESOLVED, named[state.alert], state, None) for state in ended if _can_be_told(named, state)]
    return Judgement(begun, [state for state in ended if not _can_be_told(named, state)], [*told, *resolved])


def all_asked(samples: Samples) -> bool:
    """Whether everything answered that is looked at."""
    return all(samples.values.get(COLLECTOR_UP, {}).values())


def _due(alert: Alert, state: AlertState, now: datetime, repeat: timedelta) -> Notice | None:
    due = state.since + alert.lasting if state.told_at is None else state.told_at + repeat
    after = replace(state, told_at=now, tellings=state.tellings + 1)
    return Notice(Kind.FIRING, alert, state, after) if now >= due else None


def _can_be_told(named: Mapping[str, Alert], state: AlertState) -> bool:
    """An alert that another release knew has no words any more."""
    return state.told_at is not None and state.alert in named
