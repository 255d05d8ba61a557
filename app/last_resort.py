"""A worker that crashes ends, also when its orderly end hangs: what it waits for may have ended before it."""

from __future__ import annotations

import logging
import os
import threading
from typing import Final

#: For an orderly end after a crash. Whatever is open then is a transaction, and takes itself back.
SECONDS: Final = 15.0
EXIT_CODE: Final = 1

log = logging.getLogger(__name__)


def end_anyway(seconds: float = SECONDS) -> None:
    """End this process after so many seconds, unless it has ended by itself; the supervisor starts it again."""
    timer = threading.Timer(seconds, _end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    log.critical("the orderly end after a crash hangs: the process ends now")
    os._exit(EXIT_CODE)
