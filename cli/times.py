"""Times as operators read them: UTC and India's side by side."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

_INDIA: Final = ZoneInfo("Asia/Kolkata")


def both_zones(moment: datetime | None) -> str:
    """Render ``2025-01-15 20:00:00 UTC · 01:30:00 IST (+1 day)``; a dash for no time."""
    if moment is None:
        return "-"
    here, there = moment.astimezone(UTC), moment.astimezone(_INDIA)
    next_day = " (+1 day)" if there.date() > here.date() else ""
    return f"{here:%Y-%m-%d %H:%M:%S} UTC · {there:%H:%M:%S} IST{next_day}"


def duration(seconds: float | None) -> str:
    """Render seconds as ``0.4 s``, ``3 min 20 s`` or ``2 h 5 min``; a dash for none."""
    if seconds is None:
        return "-"
    if seconds < 60:  # noqa: PLR2004 a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
