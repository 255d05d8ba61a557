"""Bodies that came by callback: target rows as JSON, with the time in the body and the record's offset as their version."""

from __future__ import annotations

from typing import Final

import msgspec

from flows.callback_model import CallbackFlow
from schemas.callback_change import callback_decoder
from schemas.debezium import RowChange
from schemas.headers import OFFSET_HEADER, number_in
from sinks.notices import notice_maker
from streams.batches import Record
from streams.chunk import Chunk
from streams.decoding import Decoder
from streams.mirror_decoding import RowStates

#: Times do not begin anew when something is restored, as positions in a log do.
EPOCH: Final = 1


class CallbackDecoder(Decoder):
    """See :class:`~streams.applier.RecordDecoder`."""

    def __init__(self, flow: CallbackFlow) -> None:
        super().__init__(flow, EPOCH)
        self._decode = callback_decoder(flow)
        self._states = RowStates(flow)
        self._topic = flow.topic
        self._notice = notice_maker(flow, flow.notice) if flow.notice else None

    def _read(self, record: Record) -> RowChange:
        return self._decode(record.key, record.value, record.headers or ())

    def _add(self, chunk: Chunk, record: Record, change: RowChange) -> None:
        row, time = change.after, change.lsn
        state = self._states.present(row, self.epoch, time, time)
        notice = self._notice(None, row, time) if self._notice else None
        chunk.add(record.offset, msgspec.structs.replace(state, arrival=self._arrival(record), notice=notice))

    def _arrival(self, record: Record) -> int:
        """The offset in the flow's own topic, also of a dead letter that is sent again."""
        return record.offset if record.topic == self._topic else number_in(record.headers, OFFSET_HEADER, otherwise=0)
