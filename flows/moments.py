"""Moments as microseconds since 1970, UTC, as entries, versions and records count them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC; ``moment`` is aware."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(count: int) -> datetime:
    """The moment, in UTC, that many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=count)
