"""What the Kafka client has to say beside its exceptions, which do not tell why a broker could not be used."""

from __future__ import annotations

import logging
from collections import deque
from typing import Final

_CLIENT: Final = logging.getLogger("aiokafka")


class _Memory(logging.Handler):
    """Keeps the last message and prints nothing."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.kept: deque[str] = deque(maxlen=1)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.kept.append(record.getMessage())


_MEMORY: Final = _Memory()


def remember_instead_of_printing() -> None:
    """From now on; the exception is printed once, the log would print it again and again."""
    _CLIENT.propagate = False
    if _MEMORY not in _CLIENT.handlers:
        _CLIENT.addHandler(_MEMORY)


def last_complaint() -> str | None:
    """The client's last warning or error, if it had one."""
    return _MEMORY.kept[-1] if _MEMORY.kept else None
