import subprocess
import sys

import pytest

from stack.errors import StackError
from stack.folder import PROJECT_ROOT
from stack.folder_lock import FolderLock

HOLD = """
import sys
from pathlib import Path
from stack.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
assert lock.try_acquire(sys.argv[2])
print("held", flush=True)
input()
"""


@pytest.fixture
def holder(tmp_path):
    holders: list[subprocess.Popen[bytes]] = []

    def hold(role: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "lock"), role],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        holders.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        return child

    yield hold
    for child in holders:
        child.kill()
        child.communicate()


def test_a_second_run_is_refused_while_the_first_lives(tmp_path, holder):
    first = holder("run")
    with pytest.raises(StackError, match=rf"in use by another run \(process {first.pid}\)"):
        FolderLock(tmp_path / "lock").acquire()


def test_a_killed_holder_holds_nothing(tmp_path, holder):
    first = holder("run")
    first.kill()
    first.wait()
    lock = FolderLock(tmp_path / "lock")
    lock.acquire()
    assert lock.held
    lock.release()


def test_a_run_waits_for_the_guard_of_the_one_before(tmp_path, holder):
    guard = holder("guard")
    lock = FolderLock(tmp_path / "lock")
    assert not lock.try_acquire("run")
    guard.communicate(b"\n")
    lock.acquire()
    assert lock.held
    lock.release()
