"""PostgreSQL processes that outlived their notes: backends of a killed postmaster, servers of a deleted folder."""

from pathlib import Path

import psutil

from stack.process_tree import KILL_SECONDS

PROGRAM = "postgres"


def kill_servers_in(folder: Path) -> None:
    """SIGKILL every PostgreSQL process that works in `folder` or below it, and return when they are gone.

    A postmaster and its children have the data folder as working directory; that tells them from any other server. A
    new postmaster refuses to start while one of them is attached to the shared memory of its cluster.
    """
    remains = [process for process in psutil.process_iter() if _works_in(process, folder)]
    for process in remains:
        process.kill()
    psutil.wait_procs(remains, timeout=KILL_SECONDS)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.name() == PROGRAM and Path(process.cwd()).is_relative_to(folder)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
