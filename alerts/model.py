"""What an alert is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from alerts.condition import Comparison, Expression, Labels, Reading
from metrics import catalogue
from metrics.samples import Samples

RUNBOOK: Final = "docs/operations.md"


class Severity(StrEnum):
    """``CRITICAL``: somebody is called, at night too. ``WARNING``: in the morning is soon enough."""

    CRITICAL = "critical"
    WARNING = "warning"


#: While this is so, what maintenance brings with it is no trouble.
IN_MAINTENANCE: Final = Comparison(Reading(catalogue.MAINTENANCE), ">", 0)


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One thing that people are told of.

    ``says``: a sentence for somebody who has just been woken; ``{label}`` stands for the value of a label.
    ``lasting``: how long it must be so before anybody is told. ``quiet_while``: what makes it no trouble, for the series that
    have its labels. ``without_prometheus``: what the notifier looks at where the condition is an :class:`Expression`.
    Its runbook is the section of that name in :data:`RUNBOOK`.
    """

    name: str
    severity: Severity
    condition: Comparison | Expression
    says: str
    lasting: timedelta = timedelta(0)
    quiet_while: tuple[Comparison, ...] = ()
    without_prometheus: Comparison | None = None

    @property
    def anchor(self) -> str:
        """Of its runbook."""
        return f"{RUNBOOK}#{self.name.lower()}"

    @property
    def promql(self) -> str:
        """The condition, without the series that are quiet."""
        quiet = [f" unless on ({', '.join(each.reading.by)}) ({each.promql})" for each in self.quiet_while]
        return f"({self.condition.promql}){''.join(quiet)}" if quiet else self.condition.promql

    @property
    def comparison(self) -> Comparison | None:
        """What the notifier looks at; ``None``: it cannot tell without Prometheus."""
        return self.without_prometheus if isinstance(self.condition, Expression) else self.condition

    def of(self, samples: Samples, now: float) -> frozenset[Labels]:
        """The series for which it is so, as far as that can be told without Prometheus."""
        found = self.comparison.of(samples, now) if self.comparison else frozenset[Labels]()
        return frozenset(each for each in found if not self._quiet(each, samples, now))

    def _quiet(self, labels: Labels, samples: Samples, now: float) -> bool:
        for reason in self.quiet_while:
            shared = tuple(each for each in labels if each[0] in reason.reading.by)
            if shared in reason.of(samples, now):
                return True
        return False
