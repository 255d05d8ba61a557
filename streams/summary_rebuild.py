"""Rebuilding a partition of a summary flow from its source: the members as they stand there, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.summary_model import SummaryFlow
from sinks import ledger
from sinks.ledger import Claim
from sinks.pool import Pool, Session
from sinks.source_rows import Fence
from sinks.summary_rows import STALE_MEMBERS, strays_statement
from streams.row_rebuild import STALE_PER_PAGE, RowRebuilder
from streams.summary import SummaryWriter
from streams.summary_decoding import Member, SummaryDecoder


class SummaryRebuilder(RowRebuilder[Member]):
    """Members whose reference is not there are noted, not parked: there is no record that could become a dead letter."""

    def __init__(self, flow: SummaryFlow, source: Pool, target: Pool, writer: SummaryWriter, decoder: SummaryDecoder) -> None:
        super().__init__(flow, source, target, decoder)
        self._writer = writer
        self._members = decoder.members
        self._strays = strays_statement(flow)

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Rows of the target that no member stands behind go first."""
        async with self._target.session() as session:
            await ledger.lock(session, next(iter(claims.values())))
            await self._writer.sum_up(session, [group for (group,) in await session.rows(self._strays)])
            await session.run("COMMIT")
        await super().rebuild(claims, offsets, resync)

    def _present(self, row: Any, fence: Fence, now: int) -> Member:  # noqa: ARG002 as the base has it
        return self._members.present(row, fence.epoch, fence.lsn)

    def _absent(self, row_key: str, fence: Fence, now: int) -> Member:  # noqa: ARG002 as the base has it
        return self._members.gone(row_key, fence.epoch, fence.lsn)

    async def _write_states(self, session: Session, states: Sequence[Member]) -> None:
        families = await self._writer.families(session, {member.reference for member in states if not member.gone})
        await self._writer.write(session, states, families)

    async def _stale(self, session: Session, fence: Fence, after: str) -> list[tuple[str, str]]:
        parameters = {"flow": self._flow.name, **fence._asdict(), "after": after, "limit": STALE_PER_PAGE}
        return [(key, reference) for key, reference in await session.rows(STALE_MEMBERS, parameters)]
