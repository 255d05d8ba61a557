"""The guard: a small process that stops what the stack started when the stack's own process is killed.

It waits at the end of a pipe whose other end only the stack's process holds. The kernel closes that end however the
process dies; unlike a parent-death signal this does not depend on which thread started a child, it also reaches
processes of another user, and it lets PostgreSQL shut down in order.
"""

import subprocess
import sys
from pathlib import Path

from stack.folder import PROJECT_ROOT, StateFolder
from stack.folder_lock import FolderLock
from stack.leftovers import stop_leftovers
from stack.waiting import wait_until

DISMISSED = b"dismissed"
DISMISS_SECONDS = 10
TAKE_OVER_SECONDS = 5


class Guard:
    """The stack's handle on its guard."""

    def __init__(self, folder: StateFolder) -> None:
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the guard in a session of its own, where Ctrl-C does not reach it."""
        if self._child is not None and self._child.poll() is None:
            return
        with self._folder.log("guard").open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "stack.guard", str(self._folder.root)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=PROJECT_ROOT,
                start_new_session=True,
            )

    def dismiss(self) -> None:
        """End the guard's watch: everything was stopped in order."""
        if self._child is None:
            return
        try:
            self._child.communicate(DISMISSED, timeout=DISMISS_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._child.kill()
        self._child.wait()
        self._child = None


def watch(folder: StateFolder) -> None:
    """Return when dismissed; when the stack's process dies first, stop what it left, unless a new run does already."""
    if sys.stdin.buffer.read() == DISMISSED:
        return
    lock = FolderLock(folder.lock_file)
    # The kernel may close the dead process's pipe a moment before it frees its lock.
    if wait_until(lambda: lock.try_acquire("guard"), TAKE_OVER_SECONDS):
        stop_leftovers(folder)
        lock.release()


if __name__ == "__main__":
    watch(StateFolder(Path(sys.argv[1])))
