"""Ports on loopback: chosen free, remembered by name, chosen anew when somebody else has taken them."""

import json
import random
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from stack.errors import StackError

LOOPBACK = "127.0.0.1"
# Below Linux's ephemeral ports (32768 and up): an outgoing connection of ours must never sit on a port that a part
# needs again after a restart, nor connect to itself while that part is down.
CANDIDATES = range(15_000, 32_000)
ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


class PortBook:
    """Ports by name, kept in one JSON file so that addresses stay the same from run to run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def port(self, name: str) -> int:
        """Return the port noted for `name`; StackError when none was reserved yet."""
        noted = self._read()
        if name not in noted:
            raise StackError(f"{self._file} has no port for {name}: start the local stack first (`make run`)")
        return noted[name]

    def reserve(self, name: str) -> int:
        """Return a free port for `name`: the noted one when it is still free, otherwise a new one, which is noted."""
        with self._lock:
            noted = self._read()
            if name in noted and is_free(noted[name]):
                return noted[name]
            noted[name] = _choose(noted)
            self._write(noted)
            return noted[name]

    def _read(self) -> dict[str, int]:
        try:
            return {str(name): int(port) for name, port in json.loads(self._file.read_text()).items()}
        except FileNotFoundError:
            return {}
        except (ValueError, AttributeError) as error:
            raise StackError(f"{self._file} is damaged ({error}): delete it, new ports are then chosen") from error

    def _write(self, noted: Mapping[str, int]) -> None:
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(noted, indent=2) + "\n")
        draft.replace(self._file)


def _choose(noted: Mapping[str, int]) -> int:
    for port in random.sample(CANDIDATES, ATTEMPTS):
        if port not in noted.values() and is_free(port):
            return port
    raise StackError(f"none of {ATTEMPTS} ports tried between {CANDIDATES.start} and {CANDIDATES.stop} is free")
