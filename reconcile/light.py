"""Light mode: which ranges have changed since the flow was last found good.

Every row of PostgreSQL names the transaction that wrote it. Those that were open, or had not begun, when the last good run began
are the ones that it may not have seen. A restored source counts its transactions otherwise: then an alarm is open, and nothing
is left out. Left to full runs: what somebody has written in the target without changing how many rows there are, and what only
a delete brings about.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.model import Flow
from reconcile.history import State, runs_of
from sinks import upstream_loss
from sinks.pool import Pool

#: Transactions are numbered modulo 2³²; nobody has half of them in a week.
OLDEST: Final = timedelta(days=8)
_FIRST_NORMAL: Final = 3
_HORIZON: Final = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


async def horizon_of(source: Pool) -> int:
    """The oldest transaction that is open now."""
    async with source.session() as session:
        row = await session.row(_HORIZON)
    assert row is not None, "a SELECT without FROM answers one row"
    return int(row[0])


async def good_since(target: Pool, flow: Flow) -> str | None:
    """The horizon of the last run over all keys, as an ``xid``; ``None``: not everything was good, so everything is compared."""
    async with target.session() as session:
        if await upstream_loss.is_open(session, flow.name):
            return None
        for record in await runs_of(session, flow.name, OLDEST):
            if record.state is State.DONE and record.repairs and record.horizon is not None:
                return str(max(record.horizon % 2**32, _FIRST_NORMAL)) if record.progress.good else None
    return None
