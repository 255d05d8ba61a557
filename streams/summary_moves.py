"""Members follow their golden records: those of records that moved, went or came back are looked up again.

Whoever writes golden records leaves a note for those that have members (``sinks.summary_rows.following_statement``), in the
transaction that writes them. Any lane of the flow works on notes that nobody else works on.
"""

from __future__ import annotations

from collections.abc import Collection

from flows.summary_model import SummaryFlow
from sinks import summary_rows
from sinks.json_text import json_text
from sinks.ledger import Claim
from sinks.pool import Pool, Session
from streams.patient import PER_TRANSACTION, may_write
from streams.summary import SummaryWriter


class Moves:
    """Works on the notes of one flow."""

    def __init__(self, flow: SummaryFlow, target: Pool, writer: SummaryWriter) -> None:
        self._target = target
        self._writer = writer
        self._due = summary_rows.due_statement(flow)
        self._taking = summary_rows.taking_statement(flow, PER_TRANSACTION)
        self._moving = summary_rows.moving_statement(flow)

    async def run(self, claim: Claim) -> None:
        """Work until there is no note left that leads to anything."""
        async with self._target.session() as session:
            due = await self.due(session, [claim.partition])
        while due and await self._work(claim) == PER_TRANSACTION:
            pass

    async def due(self, session: Session, partitions: Collection[int]) -> Collection[int]:
        """All of the partitions while there is a note to work on: a cheap look that needs no lock."""
        found = await session.row(self._due)
        return partitions if found and found[0] else ()

    async def _work(self, claim: Claim) -> int:
        """One transaction; returns how many notes it took."""
        async with self._target.session() as session:
            if not await may_write(session, claim):
                return 0
            references = [reference for (reference,) in await session.rows(self._taking)]
            if references:
                await self._move(session, references)
            await session.run("COMMIT")
        return len(references)

    async def _move(self, session: Session, references: list[str]) -> None:
        found = await session.rows(self._moving, {"keys": json_text(references)})
        moves = [(identity, before, now) for identity, _, before, now, _ in found if before != now]
        rows = [{"profile_id": identity, "family_id": now} for identity, _, now in moves]
        await session.run(summary_rows.MOVE, {"moves": json_text(rows)})
        waiting = {reference for _, reference, _, _, there in found if not there}
        await session.run(summary_rows.SETTLE, {"keys": json_text([each for each in references if each not in waiting])})
        await self._writer.sum_up(session, [group for _, before, now in moves for group in (before, now)])
