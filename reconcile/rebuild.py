"""Has the partitions of a flow rebuilt by their owners: what telling rows anew does not repair.

Candidates of a ranked flow that should not be there are known to nobody but their owner, and a group without any source row is
told of by none. Rows of a callback flow are in no source; its topic is read again.
"""

from __future__ import annotations

import asyncio
from typing import Final

from flows.model import Flow
from reconcile.level import NotLevel
from sinks.pool import Begin, Pool

SECONDS: Final = 900
_LOOK_SECONDS: Final = 0.2
_ASK: Final = """
    WITH asked AS (INSERT INTO sync.flow_state AS s (flow, resync) VALUES (%(flow)s, 1)
                   ON CONFLICT (flow) DO UPDATE SET resync = s.resync + 1 RETURNING resync),
    noted AS (INSERT INTO sync.audit (actor, action, subject, reason)
              VALUES ('reconciliation', 'resync', %(flow)s, 'rows differ still after they were told anew'))
    SELECT resync FROM asked
    """
_BEHIND: Final = "SELECT count(*) FROM sync.ledger WHERE flow = %s AND resynced < %s"


class Rebuild:
    """At most one in the life of this: it repairs everything."""

    def __init__(self, flow: Flow, target: Pool, begin: Begin) -> None:
        self._flow, self._target, self._begin = flow.name, target, begin
        self._done = False

    async def once(self) -> None:
        """Return when every partition is rebuilt; raises :class:`~reconcile.level.NotLevel`."""
        if self._done:
            return
        self._done = True
        async with self._target.session() as session:
            await self._begin(session)
            row = await session.row(_ASK, {"flow": self._flow})
            await session.run("COMMIT")
        assert row is not None, "the statement answers one row"
        deadline = asyncio.get_running_loop().time() + SECONDS
        while await self._behind(row[0]):
            if asyncio.get_running_loop().time() > deadline:
                raise NotLevel(f"{self._flow} was not rebuilt from its source in {SECONDS} s")
            await asyncio.sleep(_LOOK_SECONDS)

    async def _behind(self, resync: int) -> bool:
        async with self._target.session() as session:
            row = await session.row(_BEHIND, (self._flow, resync))
        return row is not None and bool(row[0])
