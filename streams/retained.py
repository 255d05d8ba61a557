"""What the topic of a callback flow still holds, for the reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flows.callback_model import CallbackFlow
from streams.callback_decoding import CallbackDecoder
from streams.log_reader import LogReader
from streams.mirror import document_of, newest_states


@dataclass(frozen=True)
class RetainedPage:
    """See :class:`reconcile.retained.Page`."""

    rows: Sequence[bytes]
    end: int


@dataclass(frozen=True)
class RetainedRows:
    """Fulfils :class:`reconcile.retained.Retained`."""

    log_reader: LogReader

    async def page(self, flow: CallbackFlow, partition: int, begin: int, end: int) -> RetainedPage:
        """Newest states of the records that the log still has."""
        where = (flow.topic, partition)
        start = max(begin, (await self.log_reader.start_offsets([where]))[where])
        if start >= end:
            return RetainedPage((), max(start, begin))
        records = await self.log_reader.range(where, range(start, end))
        chunks = CallbackDecoder(flow).decode(records)
        newest = newest_states((at, state) for chunk in chunks for at, state in zip(chunk.owners, chunk.changes, strict=True))
        return RetainedPage([document_of(state) for _, state in newest.values()], end)
