"""What an earlier run left running when it was killed: found by its notes, stopped, and no stranger ever touched."""

import os
import signal

from stack.errors import StackError
from stack.folder import StateFolder
from stack.process_record import ProcessRecord
from stack.process_tree import kill_tree
from stack.waiting import wait_until

GRACE_SECONDS = 15.0


def stop_leftovers(folder: StateFolder) -> list[str]:
    """Stop every noted process that still runs, the one started last first, and return their names."""
    notes = {file: ProcessRecord.read(file) for file in folder.pids.glob("*.json")}
    alive = [record for record in notes.values() if record is not None and record.identity.alive]
    for record in sorted(alive, key=lambda record: record.identity.started, reverse=True):
        stop_recorded(record)
    for file in notes:
        file.unlink(missing_ok=True)
    return [record.name for record in alive]


def stop_recorded(record: ProcessRecord) -> None:
    """Ask one noted process to stop, kill it after the grace time, and return when it is gone."""
    _send(record, record.stop_signal)
    if wait_until(lambda: not record.identity.alive, GRACE_SECONDS):
        return
    kill_tree(record.identity)
    if not wait_until(lambda: not record.identity.alive, GRACE_SECONDS):
        raise StackError(f"process {record.identity.pid} ({record.name}) of an earlier run does not end, even by SIGKILL")


def _send(record: ProcessRecord, number: signal.Signals) -> None:
    if not record.identity.alive:
        return
    try:
        os.kill(record.identity.pid, number)
    except ProcessLookupError:
        return
