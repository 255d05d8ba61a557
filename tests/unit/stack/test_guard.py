import subprocess
import sys

import pytest

from stack.folder import PROJECT_ROOT
from stack.folder_lock import FolderLock
from stack.guard import Guard
from stack.managed_process import Command, ManagedProcess
from stack.process_record import ProcessRecord
from stack.waiting import wait_until

SECONDS = 15
# A run that holds the folder, has a guard and one process, and then waits to be killed.
RUN = """
import sys, threading
from pathlib import Path
from stack.folder import StateFolder
from stack.folder_lock import FolderLock
from stack.guard import Guard
from stack.managed_process import Command, ManagedProcess

folder = StateFolder(Path(sys.argv[1]))
FolderLock(folder.lock_file).acquire()
Guard(folder).start()
process = ManagedProcess("worker-1", folder.log("worker-1"), folder.pids / "worker-1.json")
# Started by a thread that ends at once: the guard must not take that for the end of the run.
starter = threading.Thread(target=process.start, args=(Command(["/bin/sleep", "600"], {}, Path("/")),))
starter.start()
starter.join()
print("started", flush=True)
input()
"""


@pytest.fixture
def run(folder):
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder.root)], cwd=PROJECT_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"started\n"
    yield child
    child.kill()
    child.communicate()


def test_what_a_killed_run_started_does_not_outlive_it(folder, run):
    record = ProcessRecord.read(folder.pids / "worker-1.json")
    assert record is not None
    assert record.identity.alive
    run.kill()
    assert wait_until(lambda: not record.identity.alive, SECONDS)
    lock = FolderLock(folder.lock_file)
    lock.acquire()
    lock.release()
    assert list(folder.pids.iterdir()) == []


def test_a_dismissed_guard_ends_and_touches_nothing(folder):
    process = ManagedProcess("worker-1", folder.log("worker-1"), folder.pids / "worker-1.json")
    process.start(Command(["/bin/sleep", "600"], {}, folder.root))
    guard = Guard(folder)
    guard.start()
    guard.dismiss()
    assert process.running
    process.stop()


def test_a_new_run_that_was_faster_than_the_guard_is_left_alone(folder):
    lock = FolderLock(folder.lock_file)
    lock.acquire()
    process = ManagedProcess("worker-1", folder.log("worker-1"), folder.pids / "worker-1.json")
    process.start(Command(["/bin/sleep", "600"], {}, folder.root))
    abandoned = subprocess.run(
        [sys.executable, "-m", "stack.guard", str(folder.root)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
        check=True,
    )
    assert abandoned.returncode == 0
    assert process.running
    process.stop()
    lock.release()
