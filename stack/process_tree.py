"""Ending processes for good, children included."""

import psutil

from stack.errors import StackError
from stack.process_identity import ProcessIdentity

KILL_SECONDS = 10.0


def kill_tree(identity: ProcessIdentity) -> None:
    """SIGKILL the process and every descendant, and return when the descendants are gone.

    The children are listed first: those of PostgreSQL lead sessions of their own, so no process group holds them all.
    """
    if not identity.alive:
        return
    try:
        process = psutil.Process(identity.pid)
        descendants = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for victim in (process, *descendants):
        _kill(victim)
    _, left = psutil.wait_procs(descendants, timeout=KILL_SECONDS)
    if left:
        raise StackError(f"processes {[victim.pid for victim in left]} did not end within {KILL_SECONDS:.0f} s of SIGKILL")


def _kill(victim: psutil.Process) -> None:
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return
