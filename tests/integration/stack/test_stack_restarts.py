"""One state folder from run to run; the tests run in their order, each finds the stack as the one before left it."""

import socket
import subprocess
import sys

import httpx
import psutil
import pytest

from stack.errors import StackError
from stack.folder import PROJECT_ROOT
from stack.local import LocalStack
from stack.ports import LOOPBACK

pytestmark = pytest.mark.campaign

# A run in a process of its own, which a test can kill without warning.
RUN = """
import sys
from pathlib import Path
from stack.local import LocalStack
LocalStack(Path(sys.argv[1])).start()
print("started", flush=True)
input()
"""
PARTS = 4


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    return tmp_path_factory.mktemp("restarts")


@pytest.fixture(scope="module")
def stack(state):
    """A stack of this module's own, not running yet; the shared one must not be stopped and started."""
    stack = LocalStack(state)
    yield stack
    stack.remove()


@pytest.fixture
def run(stack, state):
    stack.stop()
    command = [sys.executable, "-c", RUN, str(state)]
    process = subprocess.Popen(command, cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"started\n"
    yield process
    process.kill()
    process.communicate()


def test_a_first_start_where_the_databases_user_cannot_reach_the_environment(stack, query, monkeypatch):
    """Root with everything under /root: programs are copied and data lies where the unprivileged user can go."""
    monkeypatch.setattr("stack.postgres_home.reachable", lambda _path: False)
    stack.start()
    assert query(stack, "SELECT 1") == [(1,)]


def test_a_second_start_keeps_data_addresses_and_secrets(stack, query):
    stack.start()
    query(stack, "CREATE TABLE kept AS SELECT 1 AS value")
    before = stack.env
    stack.stop()
    stack.start()
    assert stack.env == before
    assert query(stack, "SELECT value FROM kept") == [(1,)]


def test_a_start_after_everything_was_killed_at_once(stack, query, run):
    everything = [psutil.Process(run.pid), *psutil.Process(run.pid).children(recursive=True)]
    for process in everything:
        process.kill()
    stack.start()
    assert query(stack, "SELECT value FROM kept") == [(1,)]
    assert httpx.get(f"{stack.connect.url}/connectors").json() == []


def test_a_start_after_a_run_that_left_its_parts_running_stops_them_first(stack, query, run):
    children = psutil.Process(run.pid).children()
    guard = next(child for child in children if "stack.guard" in child.cmdline())
    left = [child for child in children if child != guard]
    assert len(left) == PARTS
    guard.kill()
    run.kill()
    run.wait()
    told: list[str] = []
    stack.start(told.append)
    assert not any(part.is_running() for part in left)
    assert sum("of an earlier run was still there" in message for message in told) == PARTS
    assert query(stack, "SELECT value FROM kept") == [(1,)]


def test_a_start_right_after_a_run_was_killed_waits_for_its_guard_to_clear_up(stack, query, run):
    left = [child for child in psutil.Process(run.pid).children() if "stack.guard" not in child.cmdline()]
    run.kill()
    run.wait()
    stack.start()
    assert not any(part.is_running() for part in left)
    assert query(stack, "SELECT value FROM kept") == [(1,)]


def test_a_start_while_somebody_has_taken_all_its_ports(stack, query):
    stack.stop()
    before = {name: stack.ports.port(name) for name in ("warehouse", "citizen", "kafka", "connect")}
    strangers = [socket.create_server((LOOPBACK, port)) for port in before.values()]
    try:
        stack.start()
    finally:
        for stranger in strangers:
            stranger.close()
    assert not [name for name, port in before.items() if stack.ports.port(name) == port]
    assert query(stack, "SELECT value FROM kept") == [(1,)]


def test_a_part_that_cannot_start_quotes_its_log_and_nothing_is_left_running(stack, monkeypatch):
    stack.stop()
    monkeypatch.setattr("stack.java.HEAP_MEGABYTES", 0)
    with pytest.raises(StackError, match=r"(?s)kafka ended with code 1 before it answered.*heap") as failure:
        stack.start()
    assert str(stack.folder.log("kafka")) in str(failure.value)
    assert not any(part.running for part in stack.parts)
    assert list(stack.folder.pids.iterdir()) == []


def test_lost_passwords_are_explained(stack):
    env_file = stack.folder.env_file
    hidden = env_file.rename(env_file.with_suffix(".hidden"))
    try:
        with pytest.raises(StackError, match=r"stack\.env is gone.*make clean"):
            stack.start()
    finally:
        hidden.rename(env_file)
