"""One owner per state folder: the process that runs the stack, or the guard that clears up after it."""

import fcntl
import os
import re
from pathlib import Path
from typing import IO

from stack.errors import StackError
from stack.waiting import wait_until

GUARD_SECONDS = 90.0
A_RUN = re.compile(r"run \(process (\d+)\)")


class FolderLock:
    """A lock on one file. The kernel frees it when its holder dies, however it dies."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._held: IO[str] | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._held is not None

    def acquire(self) -> None:
        """Take the lock, waiting for a guard that clears up; StackError when a living run holds it."""
        wait_until(lambda: self.try_acquire("run") or self._run_that_lives(), GUARD_SECONDS)
        if not self.held:
            raise StackError(f"{self._path.parent} is in use by another {self._holder()}: stop that one first")

    def try_acquire(self, role: str) -> bool:
        """Take the lock if it is free and note who holds it, in which `role`."""
        attempt = self._path.open("a+")
        try:
            fcntl.flock(attempt, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            attempt.close()
            return False
        attempt.truncate(0)
        attempt.write(f"{role} (process {os.getpid()})")
        attempt.flush()
        self._held = attempt
        return True

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _run_that_lives(self) -> bool:
        """Whether the note names a run that is still there.

        It is empty for a moment after a change of hands, and names a dead run until the guard has written its own.
        """
        noted = A_RUN.fullmatch(self._holder())
        return noted is not None and Path("/proc", noted[1]).exists()

    def _holder(self) -> str:
        return self._path.read_text()
