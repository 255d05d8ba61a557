"""Unit files and the compose file: syntax, and that what they name exists. No engine runs them here."""

import configparser
import re
import shutil
import subprocess

import pytest
import yaml

from callbacks.settings import IntakeSettings
from settings import Settings
from stack.folder import PROJECT_ROOT
from stack.procfile import read_procfile
from tests.unit.test_settings_table import variables_of

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = DEPLOY / "compose" / "compose.yaml"
KNOWN = {name for kind in (Settings, IntakeSettings) for name, _ in variables_of(kind)}
SETTING = re.compile(r"\bSYNC_[A-Z]+(?:_CONNECT)?__[A-Z_]+[A-Z]\b")


class Unit(configparser.ConfigParser):
    """Keys may stand twice in unit files; here the last counts."""

    def __init__(self):
        super().__init__(strict=False, interpolation=None)

    def optionxform(self, optionstr):
        return optionstr


@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_a_unit_says_what_runs_and_comes_back_when_it_ends(file):
    unit = Unit()
    unit.read(file)
    assert unit["Service"]["Restart"] == "always"
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert unit["Service"]["ExecStart"].startswith("/opt/smart-sync/.venv/bin/")
    assert unit["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("file", UNITS, ids=lambda file: file.name)
def test_systemd_understands_every_line_of_a_unit(file, tmp_path):
    text = re.sub(r"ExecStart=\S+", f"ExecStart={shutil.which('true')}", file.read_text())  # the program is not installed here
    copy = tmp_path / file.name.replace("@", "@1")
    copy.write_text(re.sub(r"WorkingDirectory=\S+", "WorkingDirectory=/", text))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if file.name.partition("@")[0].partition(".")[0] in line] == []


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_would_name_a_line_that_it_does_not_know(tmp_path):
    unit = tmp_path / "smart-sync-broken.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nNoSuchKey=1\n")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "NoSuchKey" in done.stderr


def test_the_units_run_what_the_local_stack_runs():
    started = [line for file in UNITS for line in re.findall(r"ExecStart=/opt/smart-sync/\.venv/bin/(.+)", file.read_text())]
    local = read_procfile(PROJECT_ROOT / "Procfile")
    assert {" ".join(local[kind].argv) for kind in ("worker", "callbacks")} < set(started)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(COMPOSE.read_text())


def test_every_volume_and_service_that_is_named_exists(compose):
    for service in compose["services"].values():
        assert set(service.get("depends_on", [])) <= compose["services"].keys()
        assert {volume.partition(":")[0] for volume in service.get("volumes", [])} <= compose["volumes"].keys()


def test_losing_one_broker_of_three_loses_nothing(compose):
    brokers = [service for name, service in compose["services"].items() if name.startswith("kafka-")]
    assert len(brokers) == 3
    assert {broker["environment"]["KAFKA_MIN_INSYNC_REPLICAS"] for broker in brokers} == {2}
    assert {broker["environment"]["KAFKA_DEFAULT_REPLICATION_FACTOR"] for broker in brokers} == {3}
    assert sorted(broker["environment"]["KAFKA_NODE_ID"] for broker in brokers) == [1, 2, 3]


def test_nothing_is_published_beyond_loopback(compose):
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:6070:6070"]


def test_no_two_workers_share_a_name_or_a_folder(compose):
    workers = [service for name, service in compose["services"].items() if name.startswith("worker-")]
    assert len({worker["environment"]["SYNC_WORKER__NAME"] for worker in workers}) == len(workers) == 2
    assert len({tuple(worker["volumes"]) for worker in workers}) == 2


@pytest.mark.parametrize("file", [*UNITS, COMPOSE], ids=lambda file: file.name)
def test_every_setting_that_a_file_names_exists(file):
    assert set(SETTING.findall(file.read_text())) - KNOWN == set()
