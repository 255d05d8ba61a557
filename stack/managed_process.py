"""One child process: started in its own session with a log file, noted on disk, asked to stop, killed if need be."""

import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stack.process_identity import ProcessIdentity
from stack.process_record import ProcessRecord
from stack.process_tree import kill_tree
from stack.unix_user import UnixUser

LOG_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Command:
    """What to run. `env` is the whole environment; `grace` is in seconds from `stop_signal` to SIGKILL."""

    argv: Sequence[str]
    env: Mapping[str, str]
    directory: Path
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 20.0
    user: UnixUser | None = None


class ManagedProcess:
    """A process that can be started again after it ended. Its note is `pid_file`; `log` receives its output."""

    def __init__(self, name: str, log: Path, pid_file: Path) -> None:
        self.name = name
        self.log = log
        self._pid_file = pid_file
        self._command: Command | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()  # a kill must finish before a supervisor starts the next life

    @property
    def running(self) -> bool:
        """Whether the process was started by us and has not ended."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._child.pid if self._child is not None and self.running else None

    def start(self, command: Command) -> None:
        """Start the process, unless it runs; OSError when the program cannot be executed."""
        with self._changing:
            if self.running:
                return
            _make_room(self.log)
            with self.log.open("ab") as output:
                self._child = _spawn(command, output.fileno())
            self._command = command
            self._note(self._child.pid, command.stop_signal)

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit code (negative: the signal) once it ended, None when it never ran or still runs then."""
        child = self._child
        if child is None:
            return None
        try:
            return child.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def ask_to_stop(self) -> None:
        """Send the stop signal without waiting."""
        if self._child is not None and self._command is not None:
            self._child.send_signal(self._command.stop_signal)

    def stop(self) -> None:
        """Ask it to stop, wait the grace time, then kill; return when it is gone."""
        self.ask_to_stop()
        if self._command is not None:
            self.wait(self._command.grace)
        self.kill()

    def kill(self) -> None:
        """SIGKILL it and its descendants; return when all are gone."""
        with self._changing:
            if self._child is None:
                return
            if self.running:
                _kill_child(self._child)
            self._child.wait()
            self._pid_file.unlink(missing_ok=True)

    def _note(self, pid: int, stop_signal: signal.Signals) -> None:
        try:
            ProcessRecord(self.name, ProcessIdentity.of(pid), stop_signal).write(self._pid_file)
        except ProcessLookupError:
            return  # it ended at once: nothing is left for a later run to stop


def _spawn(command: Command, output: int) -> subprocess.Popen[bytes]:
    user = command.user
    return subprocess.Popen(
        list(command.argv),
        env=dict(command.env),
        cwd=command.directory,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )


def _kill_child(child: subprocess.Popen[bytes]) -> None:
    try:
        kill_tree(ProcessIdentity.of(child.pid))
    except ProcessLookupError:
        return


def _make_room(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
