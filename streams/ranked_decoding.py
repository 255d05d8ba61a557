"""Changes of a ranked flow: entries of the table of candidates."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from flows.model import RankedFlow
from schemas.debezium import Kind, RowChange
from schemas.headers import FORGET_HEADER
from schemas.message_key import keyed_value
from sinks.target_rows import row_encoder
from streams.batches import Record
from streams.chunk import Chunk
from streams.decoding import CaptureDecoder
from tables.candidates import Change, forgetting
from tables.entry import Version, entry_key, group_key, is_group, removed, version_of
from tables.entry_builder import entry_builder, shown_columns


class RankedDecoder(CaptureDecoder):
    """See :class:`~streams.applier.RecordDecoder`."""

    def __init__(self, flow: RankedFlow, epoch: int) -> None:
        super().__init__(flow, epoch)
        self._flow = flow
        self._build = entry_builder(flow, row_encoder(flow, shown_columns(flow)))
        self._identity = attrgetter(flow.source.primary_key)
        self._group = attrgetter(flow.source.message_key)

    def _add(self, chunk: Chunk, record: Record, change: RowChange) -> None:
        version = version_of(self.epoch, change.lsn)
        row = change.after if change.kind is Kind.UPSERT else change.before
        if change.kind is Kind.DELETE:
            chunk.add(record.offset, Change(self._key(row), removed(version, change.source_time)))
            return
        if change.before is not None and self._identity(change.before) != self._identity(row):
            # A changed primary key under an unchanged message key comes as one update: a move.
            chunk.add(record.offset, Change(self._key(change.before), removed(version, change.source_time)))
        kept = self._kept(row)
        if kept:
            chunk.originals[record.offset] = record
        chunk.add(record.offset, Change(self._key(row), self._build(row, version, change.source_time), kept))

    def _add_tombstone(self, chunk: Chunk, record: Record) -> None:
        """Erasure asks the owner of a group to forget its removed rows; see docs/decisions/0076."""
        asked = chunk.topic == self._command_topic and FORGET_HEADER in dict(record.headers or ())
        group = keyed_value(self._flow, record.key) if asked else None
        if group is None or not is_group(group):
            super()._add_tombstone(chunk, record)
        else:
            chunk.add(record.offset, forgetting(group_key(group)))

    def _key(self, row: Any) -> bytes:
        return entry_key(self._group(row), self._identity(row))


def row_builder(flow: RankedFlow, version: Version, now: int) -> Callable[[Any], tuple[bytes, bytes]]:
    """(key, entry) of rows that were read from the source at a fence, with the fence as their version."""
    build = entry_builder(flow, row_encoder(flow, shown_columns(flow)))
    identity, group = flow.source.primary_key, flow.source.message_key

    def entry(row: Any) -> tuple[bytes, bytes]:
        return entry_key(getattr(row, group), getattr(row, identity)), build(row, version, now)

    return entry
