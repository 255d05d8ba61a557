"""A contender's process and what it uses of the machine."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.errors import BenchError
from stack.errors import last_lines
from stack.folder import PROJECT_ROOT, StateFolder
from stack.managed_process import Command, ManagedProcess

GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Launch:
    """A command line and what its environment has beside ours."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


class MeasuredProcess:
    """One process, noted in the stack's state folder so that the stack's guard ends it should the benchmark be killed."""

    def __init__(self, name: str, folder: StateFolder) -> None:
        self.name = name
        file_name = re.sub(r"[^a-z0-9]+", "-", name)
        self._process = ManagedProcess(name, folder.log(file_name), folder.pids / f"{file_name}.json")

    def start(self, launch: Launch) -> None:
        """Start it in the project folder; a bare program name is looked for beside our interpreter first."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        program, *arguments = launch.argv
        argv = [shutil.which(program, path=path) or program, *arguments]
        self._process.start(Command(argv, {**os.environ, **launch.env}, PROJECT_ROOT, grace=GRACE_SECONDS))

    def ask_to_stop(self) -> None:
        """Send SIGTERM and do not wait."""
        self._process.ask_to_stop()

    def stop(self) -> None:
        """Ask it to end, wait, kill if need be."""
        self._process.stop()

    def check(self) -> None:
        """Raise :class:`BenchError` with the end of its log when it has ended."""
        if not self._process.running:
            raise BenchError(f"{self.name} ended by itself. The last lines of its log:\n{last_lines(self._process.log)}")

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        times = self._alive().cpu_times()
        return float(times.user + times.system)

    def rss_bytes(self) -> int:
        """Resident memory now."""
        return int(self._alive().memory_info().rss)

    def _alive(self) -> psutil.Process:
        self.check()
        assert self._process.pid is not None, "a running process has an id"
        return psutil.Process(self._process.pid)
