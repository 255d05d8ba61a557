"""The note on disk about a process that was started, so that a later run can find and stop what an earlier one left."""

import json
import signal
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from stack.process_identity import ProcessIdentity


@dataclass(frozen=True)
class ProcessRecord:
    """Who a process is and how to ask it to stop."""

    name: str
    identity: ProcessIdentity
    stop_signal: signal.Signals

    def write(self, file: Path) -> None:
        """Write the note as JSON, whole or not at all."""
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps({**asdict(self), "stop_signal": int(self.stop_signal)}))
        draft.replace(file)

    @classmethod
    def read(cls, file: Path) -> Self | None:
        """Return the note in `file`, or None when it cannot be understood (it then says nothing about any process)."""
        try:
            fields = json.loads(file.read_text())
            return cls(fields["name"], ProcessIdentity(**fields["identity"]), signal.Signals(fields["stop_signal"]))
        except (FileNotFoundError, KeyError, TypeError, ValueError):
            return None
