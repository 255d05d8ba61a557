"""Changes of a summary flow: members, each with what it would be as the summary of its group."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from flows.summary_model import SummaryFlow
from schemas.debezium import Kind, RowChange
from sinks.target_rows import row_encoder
from streams.batches import Record
from streams.chunk import Chunk
from streams.decoding import CaptureDecoder, note_problem
from streams.settlement import value_left_out


class Member(msgspec.Struct, frozen=True, gc=False):
    """A source row, or the trace of one that is ``gone``. ``content``: the inside of a JSON object of target columns."""

    row_key: str
    epoch: int
    lsn: int
    gone: bool
    reference: str = ""
    time: Any = None
    content: bytes = b""

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.row_key) + len(self.reference) + len(self.content)

    @property
    def version(self) -> tuple[int, int, bool]:
        """Orders the states of one row: at one position an upsert beats a delete."""
        return (self.epoch, self.lsn, not self.gone)

    def away(self) -> Member:
        """The member as it counts until its reference is there: not at all, and older than itself."""
        return Member(self.row_key, self.epoch, self.lsn, gone=True)


class Members:
    """Makes :class:`Member` of source rows with the flow's columns as attributes."""

    def __init__(self, flow: SummaryFlow) -> None:
        self._identity = attrgetter(flow.source.primary_key)
        self._reference = attrgetter(flow.reference_source.name)
        self._time = attrgetter(flow.target.column(flow.time).source)
        self._content = row_encoder(flow, flow.content_columns)

    def present(self, row: Any, epoch: int, lsn: int) -> Member:
        """The row stands in the source."""
        key, reference = str(self._identity(row)), self._reference(row).lower()
        return Member(key, epoch, lsn, False, reference, self._time(row), self._content(row))  # noqa: FBT003

    def gone(self, row_key: str, epoch: int, lsn: int) -> Member:
        """The row was deleted."""
        return Member(row_key, epoch, lsn, gone=True)


class SummaryDecoder(CaptureDecoder):
    """See :class:`~streams.applier.RecordDecoder`."""

    def __init__(self, flow: SummaryFlow, epoch: int) -> None:
        super().__init__(flow, epoch)
        self.members = Members(flow)
        self._identity = attrgetter(flow.source.primary_key)

    def _add(self, chunk: Chunk, record: Record, change: RowChange) -> None:
        before, after = change.before, change.after
        if before is not None and (change.kind is Kind.DELETE or self._identity(before) != self._identity(after)):
            # A changed primary key under an unchanged message key comes as one update: a move.
            chunk.add(record.offset, self.members.gone(str(self._identity(before)), self.epoch, change.lsn))
        if change.kind is Kind.DELETE:
            return
        if self._kept(after):
            note_problem(chunk, record, value_left_out(str(self._identity(after))))
            return
        chunk.originals[record.offset] = record  # It may have to wait.
        chunk.add(record.offset, self.members.present(after, self.epoch, change.lsn))
