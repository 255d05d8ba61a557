"""Figures and times as people read them. Pure; commands use these, and every page as template filters of the same names.

A dash stands for what is not known or not a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, TypeGuard
from zoneinfo import ZoneInfo

NOTHING: Final = "-"
ERROR_CHARACTERS: Final = 400

_INDIA: Final = ZoneInfo("Asia/Kolkata")
_SIZES: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_WHOLE_FROM: Final = 100  # from here on decimals say nothing


def count(number: int | None) -> str:
    """Render ``1234567`` as ``1,234,567``."""
    return NOTHING if number is None else f"{number:,}"


def rate(per_second: float | None) -> str:
    """Render records per second: ``0.4/s``, ``12,345/s``."""
    return NOTHING if not _finite(per_second) else f"{_short(per_second)}/s"


def percent(share: float | None) -> str:
    """Render ``0.125`` as ``12.5 %``."""
    return NOTHING if not _finite(share) else f"{share * 100:,.1f} %"


def milliseconds(value: float | None) -> str:
    """Render ``21.4`` as ``21.4 ms`` and ``12500`` as ``12.5 s``."""
    if not _finite(value):
        return NOTHING
    return f"{_short(value)} ms" if value < 1000 else duration(value / 1000)  # noqa: PLR2004 a second


def duration(seconds: float | None) -> str:
    """Render seconds with their two greatest units: ``0.4 s``, ``3 min 20 s``, ``2 h 5 min``, ``3 d``."""
    if not _finite(seconds):
        return NOTHING
    if seconds < 59.95:  # noqa: PLR2004 what is rounded to a minute is one
        return f"{max(seconds, 0.0):.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    greatest = next(place for place, (amount, _) in enumerate(parts) if amount)
    return " ".join(f"{amount:,} {unit}" for amount, unit in parts[greatest : greatest + 2] if amount)


def size(number: int | None) -> str:
    """Render bytes: ``512 B``, ``182 MiB``."""
    if number is None:
        return NOTHING
    power = min(int(math.log(number, 1024)), len(_SIZES) - 1) if number >= 1 else 0
    return f"{number / 1024**power:,.0f} {_SIZES[power]}"


def both_zones(moment: datetime | None) -> str:
    """Render ``2025-01-15 20:00:00 UTC · 01:30:00 IST (+1 day)``."""
    if moment is None:
        return NOTHING
    here, there = moment.astimezone(UTC), moment.astimezone(_INDIA)
    next_day = " (+1 day)" if there.date() > here.date() else ""
    return f"{here:%Y-%m-%d %H:%M:%S} UTC · {there:%H:%M:%S} IST{next_day}"


def outcomes(counts: Mapping[str, int]) -> str:
    """Render the outcomes that occurred: ``applied 1,200, dead lettered 1``; lines break between them only."""
    occurred = [f"{name.replace('_', ' ')} {number:,}".replace(" ", _NO_BREAK) for name, number in counts.items() if number]
    return ", ".join(occurred) or "none yet"


def ranges(numbers: Iterable[int]) -> str:
    """Render partition numbers: ``0-4, 7, 9``."""
    ordered = sorted(set(numbers))
    if not ordered:
        return NOTHING
    starts = [ordered[0], *(later for earlier, later in pairwise(ordered) if later != earlier + 1)]
    ends = [*(earlier for earlier, later in pairwise(ordered) if later != earlier + 1), ordered[-1]]
    return ", ".join(str(start) if start == end else f"{start}-{end}" for start, end in zip(starts, ends, strict=True))


def shortened(text: str | None, characters: int = ERROR_CHARACTERS) -> str:
    """Put a text on one line and cut it when it is longer than ``characters``."""
    line = " ".join((text or NOTHING).split())
    return line if len(line) <= characters else line[:characters] + " …"


def _finite(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= _WHOLE_FROM else f"{value:,.1f}"
