import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stack.folder import StateFolder
from stack.leftovers import stop_leftovers
from stack.process_identity import ProcessIdentity
from stack.process_record import ProcessRecord
from stack.waiting import wait_until

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); input()"
WILLING = "print('ready', flush=True); input()"


@pytest.fixture
def spawn():
    children: list[subprocess.Popen[bytes]] = []

    def start(program: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def note(folder: StateFolder, name: str, identity: ProcessIdentity) -> Path:
    file = folder.pids / f"{name}.json"
    ProcessRecord(name, identity, signal.SIGTERM).write(file)
    return file


def test_a_noted_process_is_stopped_and_its_note_removed(folder, spawn):
    child = spawn(WILLING)
    file = note(folder, "worker-1", ProcessIdentity.of(child.pid))
    assert stop_leftovers(folder) == ["worker-1"]
    assert child.wait() == -signal.SIGTERM
    assert not file.exists()


def test_a_stranger_that_got_the_number_is_left_alone(folder, spawn):
    child = spawn(WILLING)
    note(folder, "worker-1", dataclasses.replace(ProcessIdentity.of(child.pid), started=1))
    assert stop_leftovers(folder) == []
    assert child.poll() is None


def test_a_note_that_cannot_be_understood_is_dropped(folder):
    for name, text in (("empty", ""), ("list", "[]"), ("half", '{"name": "x"}')):
        (folder.pids / f"{name}.json").write_text(text)
    assert stop_leftovers(folder) == []
    assert list(folder.pids.iterdir()) == []


def test_a_process_that_ignores_the_signal_is_killed(folder, spawn, monkeypatch):
    monkeypatch.setattr("stack.leftovers.GRACE_SECONDS", 0.3)
    child = spawn(STUBBORN)
    note(folder, "worker-1", ProcessIdentity.of(child.pid))
    assert stop_leftovers(folder) == ["worker-1"]
    assert child.wait() == -signal.SIGKILL


def test_what_was_started_last_is_stopped_first(folder, spawn):
    first = spawn(WILLING)
    assert wait_until(lambda: _later_tick(first), 5)
    second = spawn(WILLING)
    note(folder, "a-first", ProcessIdentity.of(first.pid))
    note(folder, "b-second", ProcessIdentity.of(second.pid))
    stopped: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stack.leftovers.stop_recorded", lambda record: stopped.append(record.name))
        stop_leftovers(folder)
    assert stopped == ["b-second", "a-first"]


def _later_tick(process: subprocess.Popen[bytes]) -> bool:
    probe = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        return ProcessIdentity.of(probe.pid).started > ProcessIdentity.of(process.pid).started
    finally:
        probe.communicate()
