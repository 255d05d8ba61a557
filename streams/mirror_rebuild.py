"""Rebuilding a partition of a mirror flow from its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.row_model import MirrorFlow
from sinks.mirror_rows import stale_keys_statement
from sinks.pool import Pool, Session
from sinks.source_rows import Fence
from streams.mirror import MirrorWriter
from streams.mirror_decoding import MirrorDecoder, RowState
from streams.row_rebuild import STALE_PER_PAGE, RowRebuilder


class MirrorRebuilder(RowRebuilder[RowState]):
    """Target rows without a version are stale too: nobody knows where they come from."""

    def __init__(self, flow: MirrorFlow, source: Pool, target: Pool, writer: MirrorWriter, decoder: MirrorDecoder) -> None:
        super().__init__(flow, source, target, decoder)
        self._writer = writer
        self._states = decoder.states
        self._stale_statement = stale_keys_statement(flow, STALE_PER_PAGE)

    def _present(self, row: Any, fence: Fence, now: int) -> RowState:
        return self._states.present(row, fence.epoch, fence.lsn, now)

    def _absent(self, row_key: str, fence: Fence, now: int) -> RowState:
        return RowState(row_key, fence.epoch, fence.lsn, True, self._states.gone_content(row_key, now))  # noqa: FBT003

    async def _write_states(self, session: Session, states: Sequence[RowState]) -> None:
        await self._writer.write(session, states)

    async def _stale(self, session: Session, fence: Fence, after: str) -> list[tuple[str, str]]:
        parameters = {"flow": self._flow.name, "epoch": fence.epoch, "lsn": fence.lsn, "after": after}
        return [(key, key) for (key,) in await session.rows(self._stale_statement, parameters)]
