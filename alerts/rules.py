"""Prometheus' file of rules, rendered from the definitions. Renew it by the command in :data:`COMMAND`.

With thresholds of ``SYNC_ALERTS__…`` in the environment the command renders rules that have these.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from alerts.model import Alert
from alerts.registry import GROUPS, groups_with
from settings import Alerts, Environment, load

COMMAND: Final = "python -m alerts.rules > deploy/prometheus/sync-rules.yml"
_LABEL: Final = re.compile(r"\{(\w+)\}")


class RuleSettings(Environment):
    """What rules need to know."""

    alerts: Alerts = Alerts()


def rules(groups: Mapping[str, tuple[Alert, ...]] = GROUPS) -> str:
    """The whole file. Texts are quoted as in JSON, which YAML understands."""
    return "\n".join(_lines(groups)) + "\n"


def _lines(groups: Mapping[str, tuple[Alert, ...]]) -> Iterator[str]:
    yield f"# Rendered from alerts/. Do not edit; renew by: {COMMAND}"
    yield "groups:"
    for name, alerts in groups.items():
        yield f"  - name: {name}"
        yield "    rules:"
        yield from _indented(line for alert in alerts for line in _rule(alert))


def _rule(alert: Alert) -> Iterator[str]:
    yield f"- alert: {alert.name}"
    yield f"  expr: {json.dumps(alert.promql)}"
    if alert.lasting:
        yield f"  for: {alert.lasting.total_seconds():.0f}s"
    yield f"  labels: {{severity: {alert.severity}}}"
    yield "  annotations:"
    summary = _LABEL.sub(r"{{ $labels.\1 }}", alert.says)
    yield f"    summary: {json.dumps(summary)}"
    yield f"    runbook: {alert.anchor}"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"      {line}" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(rules(groups_with(load(RuleSettings).alerts)))
