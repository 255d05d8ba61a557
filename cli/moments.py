"""Times that operators type: ISO 8601 with a zone, in UTC without one, or a date alone."""

from __future__ import annotations

from datetime import UTC, datetime

import typer


def moment(text: str) -> datetime:
    """Read ``2026-03-01``, ``2026-03-01T04:00`` or ``2026-03-01T09:30+05:30`` as a time in UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time; write 2026-03-01, 2026-03-01T04:00 (UTC) or 2026-03-01T09:30+05:30"
        ) from None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
