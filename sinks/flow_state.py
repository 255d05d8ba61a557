"""Whether a flow runs: kept in its target database, so that it survives every restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sinks.pool import Session

RUNNING: Final = "running"
PAUSED: Final = "paused"
STOPPED: Final = "stopped"


@dataclass(frozen=True)
class FlowState:
    """``resync`` grows by one for each time that all partitions are to be rebuilt from the source."""

    state: str = RUNNING
    reason: str | None = None
    resync: int = 0


async def read(session: Session, flow: str) -> FlowState:
    """The state of a flow; a flow without a row is running."""
    row = await session.row("SELECT state, reason, resync FROM sync.flow_state WHERE flow = %s", (flow,))
    return FlowState(*row) if row else FlowState()


async def stop(session: Session, flow: str, reason: str, changed_by: str) -> None:
    """Stop a flow on every worker. The first reason stands until an operator resumes it."""
    await session.run(
        """
        INSERT INTO sync.flow_state AS s (flow, state, reason, changed_by) VALUES (%s, 'stopped', %s, %s)
        ON CONFLICT (flow) DO UPDATE
        SET state = 'stopped', reason = excluded.reason, changed_by = excluded.changed_by, changed_at = now()
        WHERE s.state <> 'stopped'
        """,
        (flow, reason, changed_by),
    )
