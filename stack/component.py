"""What every part of the stack can do: start, answer, stop, be killed, start again."""

from abc import ABC, abstractmethod

from stack.errors import NotReadyError
from stack.folder import StateFolder
from stack.managed_process import Command, ManagedProcess
from stack.waiting import wait_until

READY_SECONDS = 180.0


class Component(ABC):
    """One long-running part. It may be stopped or killed at any time and started again on its own data."""

    def __init__(self, name: str, folder: StateFolder) -> None:
        self.name = name
        self._folder = folder
        self._process = ManagedProcess(name, folder.log(name), folder.pids / f"{name}.json")

    @abstractmethod
    def prepare(self) -> None:
        """Make whatever must exist before the process can start; leave alone what is there already."""

    @abstractmethod
    def command(self) -> Command:
        """Return the command that runs the part in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Ask the part over the network whether it serves requests."""

    @property
    def running(self) -> bool:
        """Whether the process is there; `wait_ready` says whether it serves."""
        return self._process.running

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid

    def start(self) -> None:
        """Start the process, unless it runs, and return without waiting for its first answer."""
        if self.running:
            return
        self.prepare()
        self._process.start(self.command())

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Return when the part answers; NotReadyError when it ends or the seconds pass before that."""
        served = False

        def settled() -> bool:
            nonlocal served
            served = self.running and self.answers()
            return served or not self.running

        wait_until(settled, timeout)
        if not served:
            raise NotReadyError(self._why_not_ready(timeout), self._process.log)

    def stop(self) -> None:
        """Stop in order: ask, wait for the grace time, kill. Nothing happens when it does not run."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL the process and its descendants, as a crash of the machine would; `start` recovers."""
        self._process.kill()

    def _why_not_ready(self, timeout: float) -> str:
        if self.running:
            return f"{self.name} did not answer within {timeout:.0f} s"
        return f"{self.name} ended with code {self._process.wait()} before it answered"
