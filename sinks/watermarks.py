"""Up to when rows of a source that only grows have been taken."""

from __future__ import annotations

from datetime import datetime

from sinks.pool import Session


async def taken(session: Session, flow: str) -> datetime | None:
    """Rows of transactions that had ended by then are in the target; ``None``: nothing was taken yet."""
    row = await session.row("SELECT taken FROM sync.watermark WHERE flow = %s", (flow,))
    return row[0] if row else None


async def raise_to(session: Session, flow: str, moment: datetime) -> None:
    """Note, in the transaction that is open; it never goes back."""
    await session.run(
        """
        INSERT INTO sync.watermark AS w (flow, taken) VALUES (%s, %s)
        ON CONFLICT (flow) DO UPDATE SET taken = excluded.taken WHERE w.taken < excluded.taken
        """,
        (flow, moment),
    )
