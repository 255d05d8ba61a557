"""The whole local stack: two PostgreSQL clusters, Kafka and Kafka Connect, started and stopped as one."""

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from stack.component import Component
from stack.connect import ConnectWorker
from stack.errors import StackError
from stack.folder import DEFAULT_STATE, StateFolder
from stack.folder_lock import FolderLock
from stack.guard import Guard
from stack.jars import DEFAULT_JARS, Jars
from stack.kafka import KafkaBroker
from stack.leftovers import stop_leftovers
from stack.ports import PortBook
from stack.postgres import PostgresCluster
from stack.postgres_home import ensure_home, remove_home
from stack.stack_env import compose, read_env, write_env

PORT_NAMES = ("warehouse", "citizen", "kafka", "kafka-controller", "connect", "callbacks")
Progress = Callable[[str], None]


class LocalStack:
    """The stack of one state folder. `start` and `stop` may be repeated; as a context manager it is running inside."""

    def __init__(self, state: Path = DEFAULT_STATE, jars: Path = DEFAULT_JARS) -> None:
        self.folder = StateFolder(state.absolute())
        self.ports = PortBook(self.folder.ports_file)
        self._jars = Jars(jars.absolute())
        self._lock = FolderLock(self.folder.lock_file)
        self._guard = Guard(self.folder)
        self.warehouse = PostgresCluster("warehouse", self.folder, self.ports)
        self.citizen = PostgresCluster("citizen", self.folder, self.ports)
        self.kafka = KafkaBroker(self.folder, self.ports, self._jars)
        self.connect = ConnectWorker(self.folder, self.ports, self._jars)

    @property
    def parts(self) -> tuple[Component, ...]:
        """The parts in the order of their start."""
        return (self.warehouse, self.citizen, self.kafka, self.connect)

    @property
    def env(self) -> dict[str, str]:
        """The SYNC_* variables for processes that use the stack; StackError before the first start."""
        return read_env(self.folder.env_file)

    def start(self, progress: Progress | None = None) -> None:
        """Start what does not run and return when every part answers.

        What an earlier, killed run left running is stopped first. Raises StackError (NotReadyError, MissingToolError)
        with everything stopped again.
        """
        say = progress or _say_nothing
        self.folder.create()
        if not self._lock.held:
            self._lock.acquire()
        try:
            if not any(part.running for part in self.parts):
                self._make_ground(say)
            self._guard.start()
            self._start_parts(say)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all parts, those that depend on others first; one that fails to stop does not spare the rest."""
        with ExitStack() as steps:
            steps.callback(self._lock.release)
            steps.callback(self._guard.dismiss)
            for part in self.parts:
                steps.callback(part.stop)

    def remove(self) -> None:
        """Stop all parts and delete the state folder with everything that belongs to it."""
        self.stop()
        if not self.folder.root.exists():
            return
        self._lock.acquire()
        stop_leftovers(self.folder)
        remove_home(self.folder)
        shutil.rmtree(self.folder.root)
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _make_ground(self, say: Progress) -> None:
        self._jars.ensure(say)
        for name in stop_leftovers(self.folder):
            say(f"{name} of an earlier run was still there and is stopped now")
        ensure_home(self.folder)  # here and not by both clusters at once: programs may have to be copied
        for name in PORT_NAMES:
            self.ports.reserve(name)
        write_env(self.folder.env_file, compose(self._known_variables(), self.ports.port))

    def _known_variables(self) -> dict[str, str]:
        if self.folder.env_file.exists():
            return self.env
        if any(self.folder.postgresql.glob("*/PG_VERSION")):
            raise StackError(
                f"{self.folder.env_file} is gone, and with it the passwords of the databases in"
                f" {self.folder.postgresql}: put it back, or delete the local stack with `make clean`"
            )
        return {}

    def _start_parts(self, say: Progress) -> None:
        # Connect comes last: started before Kafka answers, it backs off between its attempts and is ready 7 s later.
        self._start_together((self.warehouse, self.citizen, self.kafka), say)
        self._start_together((self.connect,), say)

    def _start_together(self, parts: Sequence[Component], say: Progress) -> None:
        with ThreadPoolExecutor(len(parts)) as pool:
            starts = [pool.submit(_bring_up, part, say) for part in parts]
            try:
                for start in starts:
                    start.result()
            except BaseException:
                for part in self.parts:
                    part.kill()  # so that the waits of the others end now and not at their deadlines
                raise


def _bring_up(part: Component, say: Progress) -> None:
    began = time.monotonic()
    part.start()
    part.wait_ready()
    say(f"{part.name} is ready after {time.monotonic() - began:.1f} s")


def _say_nothing(_message: str) -> None:
    return
