"""Changes of a mirror flow: target rows as JSON, with the version of each."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from flows.moments import moment_of
from flows.row_model import MirrorFlow, RowFlow
from schemas.debezium import Kind, RowChange
from sinks.notices import notice_maker
from sinks.target_rows import row_encoder
from streams.batches import Record
from streams.chunk import Chunk
from streams.decoding import CaptureDecoder


class RowState(msgspec.Struct, frozen=True, gc=False):
    """What a row is to be in the target. ``content``: the inside of a JSON object, of a row that is gone only its key.

    ``counts``: false for a row that the flow's filter leaves out, which is gone as well. ``kept``: columns whose value the
    source left out. ``notice``: what people are to be told of the change, a JSON object. ``arrival`` decides between states of
    one position.
    """

    row_key: str
    epoch: int
    lsn: int
    gone: bool
    content: bytes
    counts: bool = True
    kept: tuple[str, ...] = ()
    notice: bytes | None = None
    arrival: int = 0

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.row_key) + len(self.content) + len(self.notice or b"")

    @property
    def version(self) -> tuple[int, int, int, bool]:
        """Orders the states of one row: at one position an upsert beats a delete."""
        return (self.epoch, self.lsn, self.arrival, not self.gone)


class RowStates:
    """Makes :class:`RowState` of source rows with the flow's columns as attributes."""

    def __init__(self, flow: RowFlow) -> None:
        self._identity = attrgetter(flow.source.primary_key)
        self._content = row_encoder(flow, flow.target.column_names)
        self._key_name = msgspec.json.encode(flow.key) + b":"
        self._mark = None if flow.deleted_at is None else b"," + msgspec.json.encode(flow.deleted_at) + b":"
        self._counts = attrgetter(flow.filter.column) if flow.filter else None
        self._counting = frozenset(flow.filter.values if flow.filter else ())

    def present(self, row: Any, epoch: int, lsn: int, time: int, kept: tuple[str, ...] = ()) -> RowState:
        """The row stands in the source; ``time`` of the change in microseconds."""
        if self._counts is not None and self._counts(row) not in self._counting:
            return self.gone(row, epoch, lsn, time, counts=False)
        return RowState(str(self._identity(row)), epoch, lsn, False, self._content(row), True, kept)  # noqa: FBT003

    def gone(self, row: Any, epoch: int, lsn: int, time: int, *, counts: bool = True) -> RowState:
        """The row is gone since ``time`` (microseconds); of ``row`` only the key is read."""
        identity = self._identity(row)
        return RowState(str(identity), epoch, lsn, True, self.gone_content(identity, time), counts)  # noqa: FBT003

    def gone_content(self, identity: Any, time: int) -> bytes:
        """What the statement needs of a row that is gone."""
        content = self._key_name + msgspec.json.encode(identity)
        if self._mark is not None:
            content += self._mark + msgspec.json.encode(moment_of(time))
        return content


class MirrorDecoder(CaptureDecoder):
    """See :class:`~streams.applier.RecordDecoder`."""

    def __init__(self, flow: MirrorFlow, epoch: int) -> None:
        super().__init__(flow, epoch)
        self.states = RowStates(flow)
        self._notice = notice_maker(flow, flow.notice) if flow.notice else None

    def _add(self, chunk: Chunk, record: Record, change: RowChange) -> None:
        if change.kind is Kind.DELETE:
            chunk.add(record.offset, self.states.gone(change.before, self.epoch, change.lsn, change.source_time))
            return
        kept = self._kept(change.after)
        if kept:
            chunk.originals[record.offset] = record
        state = self.states.present(change.after, self.epoch, change.lsn, change.source_time, kept)
        if self._notice is not None and change.lsn:  # What a snapshot reads is no news.
            notice = self._notice(change.before, change.after, change.source_time)
            state = state if notice is None else msgspec.structs.replace(state, notice=notice)
        chunk.add(record.offset, state)
