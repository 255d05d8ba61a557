"""Time alone changes the ranking: candidates stop counting after the horizon, and may one day be forgotten."""

from __future__ import annotations

import time
from typing import Final

from flows.model import RankedFlow
from sinks import ledger
from sinks.ledger import Claim
from sinks.pool import Pool
from streams.ranked_writer import RankedWriter
from tables.candidates import CandidateTable, Due, Entries
from tables.entry import GROUP, forget_time

PER_TRANSACTION: Final = 2000


class Expiry:
    """Runs inside the lane, under the ledger lock, and does not move the position."""

    def __init__(self, flow: RankedFlow, table: CandidateTable, target: Pool, writer: RankedWriter) -> None:
        self._flow = flow
        self._table = table
        self._target = target
        self._writer = writer

    async def run(self, claim: Claim) -> int:
        """Re-rank every group in which something became due; returns how many entries were due."""
        total = 0
        while due := self._table.due(claim.partition, int(time.time() * 1e6), PER_TRANSACTION):
            handled = await self._handle(claim, due)
            total += handled
            if handled < len(due):
                break  # The rest is due by our clock, but not yet by the target's, which decides.
        return total

    async def _handle(self, claim: Claim, candidates_due: list[Due]) -> int:
        async with self._target.session() as session:
            locked = await ledger.lock(session, claim)
            due = [found for found in candidates_due if found.at <= locked.now]
            if groups := {found.key[GROUP] for found in due}:
                await self._writer.write_stored(session, claim.partition, groups, locked.now)
            await session.run("COMMIT")
        await self._settle(claim.partition, due, locked.now)
        return len(due)

    async def _settle(self, partition: int, due: list[Due], now: int) -> None:
        """Forget what may be forgotten; look at the rest again when it may."""
        standing = self._table.read(partition, [found.key for found in due])
        forgotten: Entries = {key: entry for key, entry in standing.items() if entry and forget_time(entry) <= now}
        if forgotten:
            append = await self._table.write(partition, dict.fromkeys(forgotten), forgotten, {})
            await self._table.until_acknowledged(partition, append)
        kept = {key: entry for key, entry in standing.items() if entry and key not in forgotten}
        self._table.reindex(partition, due, kept, now)
