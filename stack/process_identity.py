"""Which process a number means: a process id is reused, a process id with its start time and boot is not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# proc(5), /proc/<pid>/stat: the fields after the name in parentheses begin with field 3 (state); field 22 is starttime.
STATE_FIELD = 3
STARTTIME_FIELD = 22


@dataclass(frozen=True)
class ProcessIdentity:
    """One process of one boot of this machine. `started` is in clock ticks since that boot."""

    pid: int
    started: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Self:
        """Return the identity of the running process `pid`; ProcessLookupError when there is none."""
        state, started = _state_and_start(pid)
        if state == "Z":
            raise ProcessLookupError(f"process {pid} has ended")
        return cls(pid, started, BOOT_ID.read_text().strip())

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs; a later process with the same number does not count."""
        try:
            return ProcessIdentity.of(self.pid) == self
        except ProcessLookupError:
            return False


def _state_and_start(pid: int) -> tuple[str, int]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(f"no process {pid}") from None
    fields = text[text.rindex(")") + 2 :].split()
    return fields[0], int(fields[STARTTIME_FIELD - STATE_FIELD])
