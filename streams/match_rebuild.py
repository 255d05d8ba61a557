"""Rebuilding a partition of a match flow from its source: what every row says is offered once more, as of the fence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.match_model import MatchFlow
from sinks.match_rows import STALE_KEYS
from sinks.pool import Pool, Session
from sinks.source_rows import Fence
from streams.match_decoding import MatchDecoder, Offer
from streams.match_writer import MatchWriter
from streams.row_rebuild import STALE_PER_PAGE, RowRebuilder


class MatchRebuilder(RowRebuilder[Offer]):
    """Rows that the source no longer has leave the records as they are."""

    def __init__(self, flow: MatchFlow, source: Pool, target: Pool, writer: MatchWriter, decoder: MatchDecoder) -> None:
        super().__init__(flow, source, target, decoder)
        self._writer = writer
        self._offers = decoder.offers

    def _present(self, row: Any, fence: Fence, now: int) -> Offer:  # noqa: ARG002 as the base has it
        return self._offers.present(row, fence.epoch, fence.lsn)

    def _absent(self, row_key: str, fence: Fence, now: int) -> Offer:  # noqa: ARG002 as the base has it
        return self._offers.gone(row_key, fence.epoch, fence.lsn)

    async def _write_states(self, session: Session, states: Sequence[Offer]) -> None:
        await self._writer.write(session, states)

    async def _stale(self, session: Session, fence: Fence, after: str) -> list[tuple[str, str]]:
        parameters = {"flow": self._flow.name, **fence._asdict(), "after": after, "limit": STALE_PER_PAGE}
        return [(key, key) for (key,) in await session.rows(STALE_KEYS, parameters)]
