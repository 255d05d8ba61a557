"""Worker processes of a test, as the Procfile starts them; unlike the supervisor's, they stay dead when they die."""

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from stack.backoff import Backoff
from stack.folder import PROJECT_ROOT
from stack.managed_process import Command, ManagedProcess
from stack.procfile import read_procfile
from stack.supervisor import DEFAULT_PROCFILE, GRACE_SECONDS, Supervisor
from tests.support.installation import Installation
from tests.support.waiting import eventually

OPEN = "open"
# A supervised worker comes back at once, however often it was killed.
HURRIED = Backoff(first=0.5, longest=2.0, steady=5.0)
_PRESENT = """
SELECT name, (state->>'pid')::int, partition->>'state', (partition->>'partition')::int
FROM sync.worker, jsonb_array_elements(state->'partitions') AS partition
WHERE seen_at > clock_timestamp() - interval '3 seconds' AND partition->>'flow' = %s
"""


class Worker:
    """One worker. `data` is its folder of tables, `log` its output."""

    def __init__(self, name: str, installation: Installation) -> None:
        folder = installation.stack.folder
        self.name = name
        self.data = folder.data(name)
        self.log = folder.log(name)
        self._ports = installation.stack.ports
        self._port = 0
        self._environment = installation.environment
        self._process = ManagedProcess(name, self.log, folder.pids / f"{name}.json")

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid

    @property
    def address(self) -> str:
        """Where its web server answers, once it was started."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the process, unless it runs."""
        program, *arguments = read_procfile(DEFAULT_PROCFILE)["worker"].argv
        found = shutil.which(program, path=str(Path(sys.executable).parent))
        assert found is not None, f"{program} is not installed beside {sys.executable}"
        self._port = self._ports.reserve(self.name)
        own = {
            "SYNC_WORKER__NAME": self.name,
            "SYNC_WORKER__DATA_DIR": str(self.data),
            "SYNC_WORKER__WEB_PORT": str(self._port),
        }
        self._process.start(Command([found, *arguments], self._environment | own, PROJECT_ROOT, grace=GRACE_SECONDS))

    def kill(self) -> None:
        """SIGKILL it."""
        self._process.kill()

    def terminate(self) -> int | None:
        """SIGTERM it and return its exit code; None when it has not ended after the grace time, and is killed then."""
        self._process.ask_to_stop()
        code = self._process.wait(GRACE_SECONDS)
        self._process.kill()
        return code

    def freeze(self) -> None:
        """SIGSTOP it: it holds its connections, and does nothing."""
        psutil.Process(self.pid).send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT it."""
        psutil.Process(self.pid).send_signal(signal.SIGCONT)

    def exit_code(self) -> int | None:
        """Return the exit code once it has ended."""
        return self._process.wait(0)


class Workers:
    """The workers of a test by name, made when first asked for."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._made: dict[str, Worker] = {}

    def __getitem__(self, name: str) -> Worker:
        if name not in self._made:
            self._made[name] = Worker(name, self._installation)
        return self._made[name]

    def __iter__(self) -> Iterator[Worker]:
        return iter(self._made.values())

    def start(self, *names: str) -> None:
        """Start workers and return when every running worker has partitions and all partitions are open."""
        for name in names:
            self[name].start()
        self.wait_until_shared(*[worker.name for worker in self if worker.pid is not None])

    def wait_until_shared(self, *names: str, within: float = 60.0) -> dict[str, set[int]]:
        """Return the partitions of `names` once each has some, all are open, and no other worker is seen any more."""

        def shared() -> dict[str, set[int]] | None:
            owned = self.partitions(OPEN)
            numbers = sorted(number for numbers in owned.values() for number in numbers)
            everything = numbers == list(range(self._installation.flow.partitions))
            return owned if everything and owned.keys() == set(names) else None

        found = eventually(shared, f"all partitions are open, with {' and '.join(names)}", within=within)
        assert found is not None, "`eventually` returns true results"
        return found

    def wait_for_state(self, state: str, within: float = 30.0) -> None:
        """Return when every partition of the flow is in that state, as its worker reports it."""
        everything = list(range(self._installation.flow.partitions))

        def all_in_state() -> bool:
            return sorted(number for owned in self.partitions(state).values() for number in owned) == everything

        eventually(all_in_state, f"every partition is {state}", within=within)

    def partitions(self, *states: str) -> dict[str, set[int]]:
        """Return the partitions of the running workers that are in one of the states, as the workers report them."""
        owned: dict[str, set[int]] = {}
        for name, pid, state, number in self._installation.citizen.rows(_PRESENT, (self._installation.flow.name,)):
            if name in self._made and self._made[name].pid == pid and state in states:
                owned.setdefault(name, set()).add(number)
        return owned

    def kill_all(self) -> None:
        """End them all, at once."""
        for worker in self:
            worker.kill()


@contextmanager
def supervised(installation: Installation, count: int, *beside: str) -> Iterator[Supervisor]:
    """Run worker-1, worker-2, … inside the block and, such as `callbacks=1`, others; each is started again when it dies."""
    root = installation.stack.folder.root
    supervisor = Supervisor(",".join([f"worker={count}", *beside]), root, installation.environment, backoff=HURRIED)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()
