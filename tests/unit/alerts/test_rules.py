"""Prometheus' own program tries every rule out, both ways, with the thresholds that it has in production."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from alerts.model import Severity
from alerts.registry import ALERTS, GROUPS, groups_with
from alerts.rules import COMMAND, rules
from metrics.catalogue import METRICS
from settings import Alerts
from stack.folder import PROJECT_ROOT
from tests.unit.alerts.cases import CASES, CRITICAL, SILENT_IN_MAINTENANCE

FOLDER = PROJECT_ROOT / "deploy" / "prometheus"
RULES = FOLDER / "sync-rules.yml"
ALERT = {alert.name: alert for alert in ALERTS}
SERIES = {name for metric in METRICS.values() for name in metric.series}


def test_the_committed_rules_are_those_of_the_definitions():
    assert RULES.read_text() == rules(), f"renew them: {COMMAND}"


def test_prometheus_accepts_rules_and_configuration(promtool):
    for content, said in (promtool("check", "rules", RULES), promtool("check", "config", FOLDER / "prometheus.yml")):
        assert content, said
    assert f"SUCCESS: {len(ALERTS)} rules found" in promtool("check", "rules", RULES)[1]


def test_no_alert_stands_twice():
    assert len(ALERT) == len(ALERTS) == sum(len(group) for group in GROUPS.values())


def test_every_alert_is_tried_both_ways():
    assert CASES.keys() == ALERT.keys()
    assert [name for name, cases in CASES.items() if {bool(case.fires) for case in cases} != {True, False}] == []


def test_rules_speak_of_metrics_that_exist():
    used = set(re.findall(r"\bsync_\w+", "\n".join(alert.promql for alert in ALERTS)))
    assert used - SERIES == set()


def tried(case, alert, *, more=None, quiet=False):
    """A test of promtool's."""
    labels = [] if quiet else [{"severity": alert.severity.value, **each} for each in case.fires]
    return {
        "name": f"{alert.name}: {case.title}",
        "interval": case.step,
        "input_series": [{"series": name, "values": values} for name, values in (case.series | (more or {})).items()],
        "alert_rule_test": [
            {
                "eval_time": case.at,
                "alertname": alert.name,
                "exp_alerts": [
                    {
                        "exp_labels": each,
                        "exp_annotations": {"summary": alert.says.format(**each), "runbook": alert.anchor},
                    }
                    for each in labels
                ],
            }
        ],
    }


def run(promtool, folder, tests):
    """Group by group: starting the program costs more than a test, and so do rules that are not asked for."""
    for group, step in {(group_of(name), case.step) for name, case, _ in tests}:
        (folder / "rules.yml").write_text(rules({group: GROUPS[group]}))
        named = [test for name, case, test in tests if (group_of(name), case.step) == (group, step)]
        file = folder / "tests.json"  # YAML is a superset of it
        file.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": step, "tests": named}))
        content, said = promtool("test", "rules", file)
        assert content, said


def group_of(name):
    return next(group for group, alerts in GROUPS.items() if ALERT[name] in alerts)


def test_every_alert_fires_when_it_must_and_is_silent_otherwise(promtool, tmp_path):
    run(promtool, tmp_path, [(name, case, tried(case, ALERT[name])) for name, cases in CASES.items() for case in cases])


def test_maintenance_silences_what_it_brings_with_it_and_nothing_else(promtool, tmp_path):
    on = {f'sync_maintenance_active{{instance="{worker}"}}': f"{value}x3000" for worker, value in (("a", 1), ("b", 0))}
    off = {f'sync_maintenance_active{{instance="{worker}"}}': "0x3000" for worker in "ab"}
    tests = []
    for name, cases in CASES.items():
        first = next(case for case in cases if case.fires)
        tests.append((name, first, tried(first, ALERT[name], more=on, quiet=name in SILENT_IN_MAINTENANCE)))
        tests.append((name, first, tried(first, ALERT[name], more=off)))
    run(promtool, tmp_path, tests)


def test_a_rule_that_fires_too_early_would_be_noticed(promtool, tmp_path):
    case = replace(CASES["SyncLag"][0], fires=())
    with pytest.raises(AssertionError, match="SyncLag"):
        run(promtool, tmp_path, [("SyncLag", case, tried(case, ALERT["SyncLag"]))])


def test_who_is_woken_at_night_is_decided():
    assert {alert.name for alert in ALERTS if alert.severity is Severity.CRITICAL} == CRITICAL
    assert CASES.keys() > SILENT_IN_MAINTENANCE


def test_other_thresholds_are_in_rules_and_sentences():
    text = rules(groups_with(Alerts(dead_letters=7, lag_warning=3600, slot_bytes=2**20 + 1, slot_critical=0.95, patience=0.5)))
    assert "by (flow, reason) (sync_dead_letters_open)) > 7" in text
    for said in (
        "more than 7 open dead letters",
        "more than 1 hour behind",
        "more than 1048577 bytes of WAL",
        "95 % of what it may",
    ):
        assert said in text
    assert "for: 1800s" in text
    assert "for: 3600s" not in text


def test_what_is_rendered_for_prometheus_is_what_the_environment_says():
    environment = {"SYNC_ENV_FILE": "/dev/null", "SYNC_ALERTS__LAG_CRITICAL": "123"}
    command = [sys.executable, "-m", "alerts.rules"]
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == rules(groups_with(Alerts(lag_critical=123)))
