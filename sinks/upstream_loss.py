"""Changes of a source that cannot come by events any more: noted when found, resolved when the flow was brought level again."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from sinks.pool import Session


class Loss(StrEnum):
    """What is not what it was. Documented at ``sync.upstream_loss.kind``."""

    SLOT = "slot"
    TOPIC = "topic"
    RECORDS = "records"
    SOURCE = "source"


# A loss is made good by a rebuild of every partition that was asked for after it was found.
_REBUILT: Final = """
    UPDATE sync.upstream_loss AS u SET resolved_at = clock_timestamp(), resolved_by = 'resync'
    WHERE u.resolved_at IS NULL AND u.resync < (SELECT min(l.resynced) FROM sync.ledger AS l WHERE l.flow = u.flow)
    """
_NOTE: Final = """
    INSERT INTO sync.upstream_loss (flow, kind, detail, resync, found_by)
    SELECT f.name, %(kind)s, %(detail)s, coalesce(s.resync, 0), %(found_by)s
    FROM unnest(%(flows)s::text[]) AS f(name) LEFT JOIN sync.flow_state AS s ON s.flow = f.name
    ORDER BY f.name ON CONFLICT (flow, kind) WHERE resolved_at IS NULL DO NOTHING
    RETURNING flow
    """
_RECONCILED: Final = """
    UPDATE sync.upstream_loss SET resolved_at = clock_timestamp(), resolved_by = 'reconciliation ' || %(run)s
    WHERE flow = %(flow)s AND resolved_at IS NULL
      AND found_at < (SELECT started_at FROM sync.reconciliation WHERE run = %(run)s AND flow = %(flow)s)
    """


async def note(session: Session, flows: Sequence[str], kind: Loss, detail: str, found_by: str) -> list[str]:
    """Raise an alarm for each of the flows that has none of this kind yet; returns these."""
    values = {"flows": list(flows), "kind": str(kind), "detail": detail, "found_by": found_by}
    return [flow for (flow,) in await session.rows(_NOTE, values)]


async def settle_rebuilt(session: Session) -> None:
    """Resolve what rebuilds have made good, of all flows."""
    await session.run(_REBUILT)


async def settle_reconciled(session: Session, flow: str, run: str) -> None:
    """Resolve what was found before a run began that has compared and repaired everything."""
    await session.run(_RECONCILED, {"flow": flow, "run": run})


async def is_open(session: Session, flow: str) -> bool:
    """Whether a flow has an open alarm."""
    row = await session.row("SELECT EXISTS (SELECT FROM sync.upstream_loss WHERE flow = %s AND resolved_at IS NULL)", (flow,))
    return row is not None and bool(row[0])
