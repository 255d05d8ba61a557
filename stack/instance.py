"""One supervised process, started again whenever it ends until it is told to stop."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack.backoff import Backoff
from stack.errors import StackError
from stack.managed_process import Command, ManagedProcess


@dataclass(frozen=True)
class InstanceStatus:
    """What there is to show of an instance. `pid` is None while it pauses or is stopped."""

    name: str
    pid: int | None
    restarts: int
    log: Path


class Instance:
    """A process with a thread that waits for its end. `command` is asked before every start, so a port may change."""

    def __init__(
        self, process: ManagedProcess, command: Callable[[], Command], backoff: Backoff, say: Callable[[str], None]
    ) -> None:
        self._process = process
        self._command = command
        self._backoff = backoff
        self._say = say
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._restarts = 0

    @property
    def status(self) -> InstanceStatus:
        """The present state."""
        return InstanceStatus(self._process.name, self._process.pid, self._restarts, self._process.log)

    def start(self) -> None:
        """Start the process and keep it running; OSError when its program cannot be executed."""
        if self._keeper is not None and self._keeper.is_alive():
            return
        self._stopping.clear()
        self._process.start(self._command())
        self._keeper = threading.Thread(target=self._keep_running, name=f"keep {self._process.name}", daemon=True)
        self._keeper.start()

    def kill(self) -> None:
        """SIGKILL the process, as a crash would; it is started again after the pause."""
        self._process.kill()

    def ask_to_stop(self) -> None:
        """Start it no more and send the stop signal, without waiting."""
        with self._lock:
            self._stopping.set()
            self._process.ask_to_stop()

    def stop(self) -> None:
        """Stop it in order and return when it is gone."""
        self.ask_to_stop()
        self._process.stop()
        if self._keeper is not None:
            self._keeper.join()

    def _keep_running(self) -> None:
        pause: float | None = None
        while not self._stopping.is_set():
            started = time.monotonic()
            code = self._process.wait()
            if self._stopping.is_set():
                return
            pause = self._backoff.next_pause(pause, time.monotonic() - started)
            self._say(f"{self._process.name} ended with code {code} and starts again in {pause:g} s ({self._process.log})")
            self._stopping.wait(pause)
            self._start_again()

    def _start_again(self) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            self._restarts += 1
            try:
                self._process.start(self._command())
            except (OSError, StackError) as error:
                self._say(f"{self._process.name} cannot be started now: {error}")
