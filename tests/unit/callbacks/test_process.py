"""How the process ends when it cannot begin."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from callbacks.server import CUT_OFF_SECONDS, server_configuration
from callbacks.settings import Callbacks, IntakeSettings
from settings import Kafka
from stack.folder import PROJECT_ROOT
from tests.support.waiting import eventually

SECONDS = 60


def environment(**variables):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_")}
    return inherited | {"SYNC_ENV_FILE": "/dev/null"} | variables


def run(**variables):
    return subprocess.run(
        [sys.executable, "-m", "callbacks"],
        cwd=PROJECT_ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def test_wrong_settings_are_told_in_plain_words():
    refused = run(SYNC_CALLBACKS__SENDERS="hunter2")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: configuration is not usable:\n  - SYNC_CALLBACKS__SENDERS: not JSON")
    assert "SYNC_KAFKA__BOOTSTRAP_SERVERS is not set" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_a_port_that_is_taken_ends_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run(SYNC_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9", SYNC_CALLBACKS__PORT=port)
    assert refused.returncode == 1
    assert port in refused.stderr


@pytest.fixture
def configuration():
    settings = IntakeSettings(
        _env_file=None, callbacks=Callbacks(read_timeout=3, max_requests=7, port=1234), kafka=Kafka(bootstrap_servers="x:1")
    )
    return server_configuration(settings)


async def test_the_settings_reach_the_server(configuration):
    assert (configuration.host, configuration.port) == ("127.0.0.1", 1234)
    assert configuration.http.seconds == 3 + CUT_OFF_SECONDS
    assert configuration.http.max_connections > 7


async def test_the_server_logs_no_addresses(configuration):
    assert configuration.access_log is False


def test_ctrl_c_ends_it_without_complaint():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "callbacks"],
        cwd=PROJECT_ROOT,
        env=environment(SYNC_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9", SYNC_CALLBACKS__PORT=str(port)),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: answers(port), "the intake answers", within=SECONDS)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in told


def answers(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    except httpx.TransportError:
        return False
