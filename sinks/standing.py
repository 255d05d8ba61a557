"""How a flow and partitions of it stand in the target database, as their owner looks at them when nothing is to be applied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sinks.flow_state import FlowState
from sinks.pool import Session


@dataclass(frozen=True)
class Standing:
    """``positions``: (topic, partition) → (next offset, owner epoch)."""

    state: FlowState
    positions: dict[tuple[str, int], tuple[int, int]]


async def read(session: Session, flow: str, partitions: Sequence[int]) -> Standing:
    """What operators want, rewinds and heirs; in one round trip."""
    rows = await session.rows(
        """
        SELECT s.state, s.reason, s.resync, l.topic, l.partition, l.next_offset, l.owner_epoch
        FROM (SELECT %(flow)s::text AS flow) AS f LEFT JOIN sync.flow_state AS s USING (flow)
        LEFT JOIN sync.ledger AS l ON l.flow = f.flow AND l.partition = ANY(%(partitions)s)
        """,
        {"flow": flow, "partitions": list(partitions)},
    )
    state = FlowState(*rows[0][:3]) if rows[0][0] else FlowState()
    return Standing(state, {(topic, partition): (offset, epoch) for *_, topic, partition, offset, epoch in rows if topic})
