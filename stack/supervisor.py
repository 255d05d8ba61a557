"""The supervisor of the Procfile: runs a formation, starts again what dies, stops in order."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path

from stack.backoff import Backoff
from stack.errors import StackError
from stack.folder import PROJECT_ROOT, StateFolder
from stack.instance import Instance, InstanceStatus
from stack.managed_process import Command, ManagedProcess
from stack.ports import PortBook
from stack.procfile import ProcessType, instance_names, parse_formation, read_procfile

DEFAULT_PROCFILE = PROJECT_ROOT / "Procfile"
# A worker drains its lanes on SIGTERM before it leaves the group.
GRACE_SECONDS = 30.0


class Supervisor:
    """The processes of one formation, by names such as worker-1.

    `env` is added to our own environment; each process also gets SYNC_WORKER__NAME, SYNC_WORKER__DATA_DIR and
    SYNC_WORKER__WEB_PORT of its own. Notes, logs and ports are kept in the state folder `state`, so that the next run
    there finds what a killed supervisor left. StackError when the Procfile or the formation cannot be understood.
    """

    def __init__(
        self,
        formation: str,
        state: Path,
        env: Mapping[str, str],
        *,
        procfile: Path = DEFAULT_PROCFILE,
        backoff: Backoff | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = StateFolder(state.absolute())
        self._ports = PortBook(self._folder.ports_file)
        self._env = {**os.environ, **env, "PATH": _path_with_our_programs()}
        self._directory = procfile.absolute().parent
        self._types = instance_names(read_procfile(procfile), parse_formation(formation))
        self._instances = {
            name: self._make_instance(name, process_type, backoff or Backoff(), say or _say_nothing)
            for name, process_type in self._types.items()
        }

    @property
    def status(self) -> list[InstanceStatus]:
        """The present state of every process, in the order of the Procfile."""
        return [instance.status for instance in self._instances.values()]

    def start(self, *names: str) -> None:
        """Start the processes `names`, or all; those that run already are left alone."""
        self._folder.create()
        for name in names or self._instances:
            self._instance(name).start()

    def kill(self, *names: str) -> None:
        """SIGKILL the processes `names`, or all; each is started again after its pause."""
        for name in names or self._instances:
            self._instance(name).kill()

    def stop(self, *names: str) -> None:
        """Stop the processes `names`, or all: the types in the reverse order of the Procfile, each type at once."""
        chosen = [name for name in self._instances if not names or name in names]
        for name in names:
            self._instance(name)
        for _, group in groupby(reversed(chosen), key=lambda name: self._types[name].kind):
            together = [self._instances[name] for name in group]
            for instance in together:
                instance.ask_to_stop()
            for instance in together:
                instance.stop()

    def _instance(self, name: str) -> Instance:
        if name not in self._instances:
            raise StackError(f"no process {name} in this formation; it has {', '.join(self._instances) or 'none'}")
        return self._instances[name]

    def _make_instance(self, name: str, process_type: ProcessType, backoff: Backoff, say: Callable[[str], None]) -> Instance:
        process = ManagedProcess(name, self._folder.log(name), self._folder.pids / f"{name}.json")
        return Instance(process, lambda: self._command(name, process_type), backoff, say)

    def _command(self, name: str, process_type: ProcessType) -> Command:
        own = {
            "SYNC_WORKER__NAME": name,
            "SYNC_WORKER__DATA_DIR": str(self._folder.data(name)),
            "SYNC_WORKER__WEB_PORT": str(self._ports.reserve(name)),
        }
        program, *arguments = process_type.argv
        argv = [_found(program, self._env["PATH"]), *arguments]
        return Command(argv, self._env | own, self._directory, grace=GRACE_SECONDS)


def _path_with_our_programs() -> str:
    """Put the folder of our own interpreter first: `python` and `faust` then are those of the same environment."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _found(program: str, path: str) -> str:
    found = shutil.which(program, path=path)
    if found is None:
        raise StackError(f"the Procfile's program {program!r} is not in PATH: run `make setup`")
    return found


def _say_nothing(_message: str) -> None:
    return
