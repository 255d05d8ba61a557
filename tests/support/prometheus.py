"""Debian's Prometheus beside the local stack, with our own configuration and our own rules."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from alerts.of_processes import CALLBACKS, WORKERS
from stack.folder import PROJECT_ROOT, StateFolder
from stack.managed_process import Command, ManagedProcess
from stack.ports import LOOPBACK
from stack.unpacked import PROMETHEUS, find
from tests.support.waiting import eventually

CONFIGURATION = PROJECT_ROOT / "deploy" / "prometheus" / "prometheus.yml"
READY_SECONDS = 30.0
HURRIED = "1s"


@dataclass(frozen=True)
class Prometheus:
    """A server that runs."""

    address: str

    def firing(self, alert: str, **labels: str) -> bool:
        """Whether it would call people now."""
        found = httpx.get(f"{self.address}/api/v1/alerts", timeout=10).raise_for_status().json()["data"]["alerts"]
        wanted = {"alertname": alert, **labels}.items()
        return any(each["state"] == "firing" and wanted <= each["labels"].items() for each in found)


@contextmanager
def prometheus(
    folder: StateFolder, port: int, environment: Mapping[str, str], targets: Mapping[str, Sequence[str]]
) -> Iterator[Prometheus]:
    """One that scrapes ``targets`` by job, with rules of the thresholds that the environment has, while the block runs."""
    program = find(PROMETHEUS)
    assert program, "prometheus is missing: python -m stack setup-tests"
    home = folder.data("prometheus")
    home.mkdir(parents=True, exist_ok=True)
    (home / "sync-rules.yml").write_text(_rules(environment))
    (home / "prometheus.yml").write_text(_configuration(targets))
    process = ManagedProcess("prometheus", folder.log("prometheus"), folder.pids / "prometheus.json")
    process.start(Command(_arguments(program, home, port), environment, home))
    server = Prometheus(f"http://{LOOPBACK}:{port}")
    try:
        eventually(lambda: _ready(server), "Prometheus is ready", within=READY_SECONDS)
        yield server
    finally:
        process.stop()


def _arguments(program: Path, home: Path, port: int) -> list[str]:
    options = {"config.file": home / "prometheus.yml", "storage.tsdb.path": home, "web.listen-address": f"{LOOPBACK}:{port}"}
    return [str(program), *(f"--{name}={value}" for name, value in options.items())]


def _rules(environment: Mapping[str, str]) -> str:
    """As an operator renders them."""
    command = [sys.executable, "-m", "alerts.rules"]
    return subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def _configuration(targets: Mapping[str, Sequence[str]]) -> str:
    """Ours, hurried and with the targets of this machine."""
    found = yaml.safe_load(CONFIGURATION.read_text())
    assert {each["job_name"] for each in found["scrape_configs"]} == {WORKERS, CALLBACKS}
    found["global"] = {"scrape_interval": HURRIED, "scrape_timeout": HURRIED, "evaluation_interval": HURRIED}
    found["scrape_configs"] = [each for each in found["scrape_configs"] if each["job_name"] in targets]
    for each in found["scrape_configs"]:
        each["static_configs"] = [{"targets": list(targets[each["job_name"]])}]
    del found["alerting"]
    rendered: str = yaml.safe_dump(found)
    return rendered


def _ready(server: Prometheus) -> bool:
    try:
        return httpx.get(f"{server.address}/-/ready", timeout=5).is_success
    except httpx.TransportError:
        return False
