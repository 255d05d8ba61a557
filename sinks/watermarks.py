"""Up to when the rows of its source have been taken by a job."""

from __future__ import annotations

from datetime import datetime

from sinks.pool import Session


async def taken(session: Session, job: str) -> datetime | None:
    """What had been committed by then was seen by a run that ended well; ``None``: there was none yet."""
    row = await session.row("SELECT taken FROM sync.watermark WHERE job = %s", (job,))
    return row[0] if row else None


async def raise_to(session: Session, job: str, moment: datetime) -> None:
    """Note, in the transaction that is open; it never goes back."""
    await session.run(
        """
        INSERT INTO sync.watermark AS w (job, taken) VALUES (%s, %s)
        ON CONFLICT (job) DO UPDATE SET taken = excluded.taken WHERE w.taken < excluded.taken
        """,
        (job, moment),
    )
