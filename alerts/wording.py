"""Thresholds as sentences spell them."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def time(seconds: float) -> str:
    """Such as ``5 minutes``."""
    for length, unit in ((3600, "hour"), (60, "minute")):
        if seconds >= length and seconds % length == 0:
            return _counted(seconds / length, unit)
    return _counted(seconds, "second")


def size(count: int) -> str:
    """Such as ``10 GiB``."""
    for length, unit in _UNITS:
        if count >= length and count % length == 0:
            return f"{count // length} {unit}"
    return f"{count} bytes"


def share(part: float) -> str:
    """Such as ``80 %``."""
    return f"{part * 100:g} %"


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"
