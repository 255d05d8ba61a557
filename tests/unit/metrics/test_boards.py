"""Every expression of every dashboard is understood by Prometheus' own program and speaks of metrics that exist."""

import json
import re

import pytest
import yaml

from metrics.boards.registry import BOARDS, COMMAND, FOLDER, files
from metrics.catalogue import METRICS
from stack.folder import PROJECT_ROOT

COMMITTED = PROJECT_ROOT / FOLDER
SERIES = {name: metric for metric in METRICS.values() for name in metric.series}
# As Grafana fills them in.
VARIABLES = {"$flow": ".*", "$__rate_interval": "1m"}


def boards():
    return [json.loads(file.read_text()) for file in sorted(COMMITTED.glob("*.json"))]


def expressions(board):
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]


def test_the_committed_dashboards_are_those_of_the_definitions():
    assert {file.name: file.read_text() for file in COMMITTED.iterdir()} == files(), f"renew them: {COMMAND}"


def test_prometheus_understands_every_expression(promtool, tmp_path):
    """This promtool checks rules only, so each expression becomes one."""
    found = [expression for board in boards() for expression in expressions(board)]
    for variable, value in VARIABLES.items():
        found = [expression.replace(variable, value) for expression in found]
    assert not any("$" in expression for expression in found)
    rules = [{"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(found)]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    content, said = promtool("check", "rules", file)
    assert content, said
    assert f"SUCCESS: {len(found)} rules found" in said


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
def test_metrics_and_the_labels_of_legends_exist(board):
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            used = re.findall(r"\bsync_\w+", target["expr"])
            assert used, panel["title"]
            assert set(used) <= SERIES.keys()
            labels = {label for name in used for label in SERIES[name].labels} | {"instance"}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, panel["title"]


@pytest.mark.parametrize("board", boards(), ids=lambda board: board["uid"])
def test_panels_have_numbers_and_places_of_their_own(board):
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)


def test_every_metric_is_on_a_dashboard_or_said_not_to_be():
    shown = {SERIES[name].name for board in boards() for expr in expressions(board) for name in re.findall(r"\bsync_\w+", expr)}
    assert METRICS.keys() - shown == NOT_SHOWN


#: What other series or alerts say better.
NOT_SHOWN = {
    "sync_ledger_records_total",
    "sync_upstream_lost_records_total",
    "sync_upstream_loss",
    "sync_partition_source_timestamp_seconds",
    "sync_job_running",
    "sync_job_paused",
    "sync_job_last_result",
    "sync_job_since_timestamp_seconds",
    "sync_job_period_seconds",
    "sync_job_expected_rows",
    "sync_maintenance_since_timestamp_seconds",
    "sync_maintenance_until_timestamp_seconds",
    "sync_slot_limit_bytes",
    "sync_slot_active",
    "sync_heartbeat_timestamp_seconds",
    "sync_reconciliation_state",
    "sync_reconciliation_compared_rows",
    "sync_pool_size",
    "sync_worker_ready",
    "sync_worker_start_timestamp_seconds",
    "sync_build_info",
    "sync_collector_age_seconds",
    "sync_callbacks_ready",
    "sync_callbacks_start_timestamp_seconds",
    "sync_callbacks_build_info",
}


def test_provisioning_leads_to_a_folder_of_dashboards():
    (provider,) = yaml.safe_load((COMMITTED.parent / "provisioning/dashboards/smart-sync.yaml").read_text())["providers"]
    assert provider["type"] == "file"
    (source,) = yaml.safe_load((COMMITTED.parent / "provisioning/datasources/smart-sync.yaml").read_text())["datasources"]
    assert source["type"] == "prometheus"


def test_board_addresses_are_their_own():
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
