"""One heap for the process. glibc keeps one per thread and gives little of it back; a drain then holds a quarter more."""

from __future__ import annotations

import ctypes
import sys
from typing import Final

#: ``M_ARENA_MAX`` of ``malloc.h``.
_ARENA_MAX: Final = -8


def keep_one_heap() -> None:
    """Must run before threads allocate. Other C libraries do not know the option, and then nothing happens."""
    if sys.platform == "linux":
        option = getattr(ctypes.CDLL(None), "mallopt", None)
        if option is not None:
            option(_ARENA_MAX, 1)
