import dataclasses
import os
import subprocess
import sys

import pytest

from stack.process_identity import ProcessIdentity


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_running_process_is_alive_until_it_is_killed(child):
    identity = ProcessIdentity.of(child.pid)
    assert identity.alive
    child.kill()
    child.wait()
    assert not identity.alive


def test_a_zombie_is_not_alive(child):
    identity = ProcessIdentity.of(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not identity.alive


@pytest.mark.parametrize("change", [{"started": 1}, {"boot_id": "another"}])
def test_another_process_with_the_same_number_is_not_it(change):
    assert not dataclasses.replace(ProcessIdentity.of(os.getpid()), **change).alive


def test_a_name_with_spaces_and_parentheses_does_not_confuse(tmp_path):
    odd = tmp_path / "a ) S 1 (b"
    odd.symlink_to("/bin/sleep")
    process = subprocess.Popen([odd, "60"])
    try:
        assert ProcessIdentity.of(process.pid).started > ProcessIdentity.of(os.getpid()).started - 1
    finally:
        process.kill()
        process.wait()
