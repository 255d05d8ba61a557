"""When things happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

HISTORY: Final = timedelta(days=60)


def draw_moment(rng: Random, now: datetime) -> datetime:
    """Draw a moment of the 60 days before ``now``."""
    return now - HISTORY * rng.random()


def draw_later(rng: Random, moment: datetime, now: datetime) -> datetime:
    """Draw a moment between ``moment`` and ``now``, more likely soon after ``moment``."""
    return moment + (now - moment) * rng.random() ** 3
