"""Changes of a match flow: what each row of the source says of the record with its match key."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from flows.match_model import MatchFlow
from flows.moments import microseconds
from schemas.connector import TOAST_PLACEHOLDER
from schemas.debezium import Kind, RowChange
from schemas.problems import BadRecord, Reason
from sinks.target_rows import row_encoder
from streams.batches import Record
from streams.chunk import Chunk
from streams.decoding import CaptureDecoder, note_problem
from streams.match_merge import Stamp


class Offer(msgspec.Struct, frozen=True, gc=False):
    """A row of the source. ``gone``: it was deleted or does not count any more, which leaves the record as it is.

    ``match`` is the match key, ``at`` the row's own time in microseconds since 1970; ``content``: the inside of a JSON object of
    mapped columns; ``names`` are those to look up.
    """

    row_key: str
    stamp: Stamp
    gone: bool
    match: str = ""
    at: int = 0
    content: bytes = b""
    names: tuple[str | None, ...] = ()

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.row_key) + len(self.match) + len(self.content)

    @property
    def version(self) -> tuple[int, int, bool]:
        """Orders the states of one row: at one position an upsert beats a delete."""
        return (*self.stamp, not self.gone)


class Offers:
    """Makes :class:`Offer` of source rows with the flow's columns as attributes."""

    def __init__(self, flow: MatchFlow) -> None:
        mapped = [name for name in flow.target.column_names if name in flow.merged_columns]
        self._identity = attrgetter(flow.source.primary_key)
        self._status, self._admits = attrgetter(flow.filter.column), flow.filter.admits
        self._match, self._match_name = attrgetter(flow.match.source), flow.match.source
        self._time = attrgetter(flow.target.column(flow.time).source)
        self._content = row_encoder(flow, mapped)
        self._names = [attrgetter(lookup.source) for lookup in flow.lookups]

    def present(self, row: Any, epoch: int, lsn: int) -> Offer:
        """The row stands in the source; raises :class:`BadRecord` when it counts and has no match key."""
        key = str(self._identity(row))
        if not self._admits(self._status(row)):
            return self.gone(key, epoch, lsn)
        match = self._match(row)
        if not match:
            raise BadRecord(Reason.MISSING_FIELD, f"`{self._match_name}` is missing in a row that counts", key)
        at = microseconds(self._time(row))
        names = tuple(None if (found := name(row)) == TOAST_PLACEHOLDER else found for name in self._names)
        return Offer(key, Stamp(epoch, lsn), False, match, at, self._content(row), names)  # noqa: FBT003

    def gone(self, row_key: str, epoch: int, lsn: int) -> Offer:
        """The row was deleted, or does not count."""
        return Offer(row_key, Stamp(epoch, lsn), gone=True)


class MatchDecoder(CaptureDecoder):
    """See :class:`~streams.applier.RecordDecoder`."""

    def __init__(self, flow: MatchFlow, epoch: int) -> None:
        super().__init__(flow, epoch)
        self.offers = Offers(flow)
        self._identity = attrgetter(flow.source.primary_key)

    def _add(self, chunk: Chunk, record: Record, change: RowChange) -> None:
        if change.kind is Kind.DELETE:
            chunk.add(record.offset, self.offers.gone(str(self._identity(change.before)), self.epoch, change.lsn))
            return
        try:
            chunk.add(record.offset, self.offers.present(change.after, self.epoch, change.lsn))
        except BadRecord as problem:
            note_problem(chunk, record, problem)
