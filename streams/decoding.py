"""Fetched records as chunks: decoded, checked, and turned into the changes that the flow's kind asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

from flows.model import CapturedFlow, Flow
from schemas.connector import TOAST_PLACEHOLDER
from schemas.debezium import Kind, RowChange, decoder
from schemas.headers import REPLAY_HEADER, number_in
from schemas.problems import BadRecord
from streams.batches import Record
from streams.chunk import Chunk
from tables.entry import version_of

#: What Python adds to the bytes of a change.
_CHANGE_OVERHEAD: Final = 150


class Decoder(ABC):
    """Decodes records of one flow; ``epoch`` numbers the incarnations of the source database."""

    def __init__(self, flow: Flow, epoch: int) -> None:
        self.epoch = epoch
        self._command_topic = flow.command_topic

    @abstractmethod
    def _read(self, record: Record) -> RowChange:
        """What the record asks for, checked; raises :class:`BadRecord`."""

    @abstractmethod
    def _add(self, chunk: Chunk, record: Record, change: RowChange) -> None:
        """Add what an upsert or a delete asks for, by :meth:`Chunk.add`, or :func:`note_problem`."""

    def _add_tombstone(self, chunk: Chunk, record: Record) -> None:
        """A record without a value asks for nothing."""
        chunk.tombstones.append(record.offset)

    def decode(self, records: Sequence[Record], *, keep: bool = False) -> list[Chunk]:
        """One chunk, or several where a TRUNCATE or a hole stands between; ``keep`` the originals of all records."""
        chunks = []
        while records:
            chunk = self._chunk(_contiguous(records), keep=keep)
            chunks.append(chunk)
            records = records[len(chunk) :]
        return chunks

    def _chunk(self, records: Sequence[Record], *, keep: bool) -> Chunk:
        """The records before a TRUNCATE, or a TRUNCATE that stands first."""
        chunk, times = Chunk.of(records), []
        read, add = self._read, self._add
        for number, record in enumerate(records):
            try:
                change = read(record)
            except BadRecord as problem:
                note_problem(chunk, record, problem)
                continue
            if change.kind is Kind.UPSERT or change.kind is Kind.DELETE:
                if change.lsn:  # Snapshot reads are as old as they are; they say nothing about latency.
                    times.append(change.source_time)
                if chunk.topic == self._command_topic:
                    _note_replay(chunk, record)
                add(chunk, record, change)
            elif change.kind is Kind.TOMBSTONE:
                self._add_tombstone(chunk, record)
            elif number > 0:
                return self._chunk(records[:number], keep=keep)
            else:
                chunk = Chunk.of(records[:1])
                chunk.truncate = version_of(self.epoch, change.lsn)
                break
        chunk.timed(times)
        _weigh(chunk, records[: len(chunk)], keep=keep)
        return chunk


class CaptureDecoder(Decoder):
    """Decodes what Debezium captured from a table."""

    def __init__(self, flow: CapturedFlow, epoch: int) -> None:
        super().__init__(flow, epoch)
        self._decode = decoder(flow)
        self._toastable = toastable_columns(flow)
        # Two names more, so that it answers a tuple in any case.
        self._texts = attrgetter(flow.source.primary_key, flow.source.message_key, *[source for _, source in self._toastable])

    def _read(self, record: Record) -> RowChange:
        return self._decode(record.key, record.value)

    def _kept(self, row: Any) -> tuple[str, ...]:
        """Target columns whose values the connector left out because the database had not rewritten them."""
        if TOAST_PLACEHOLDER not in self._texts(row):
            return ()
        return tuple(name for name, source in self._toastable if getattr(row, source) == TOAST_PLACEHOLDER)


def _contiguous(records: Sequence[Record]) -> Sequence[Record]:
    """The records before a hole in the offsets; what follows a hole is refused by the ledger."""
    first = records[0].offset
    if records[-1].offset - first == len(records) - 1:
        return records
    return records[: next(number for number, record in enumerate(records) if record.offset != first + number)]


def note_problem(chunk: Chunk, record: Record, problem: BadRecord) -> None:
    """The record becomes a dead letter."""
    chunk.problems[record.offset] = problem
    chunk.originals[record.offset] = record
    _note_replay(chunk, record)


def _note_replay(chunk: Chunk, record: Record) -> None:
    if letter := number_in(record.headers, REPLAY_HEADER, otherwise=0):
        chunk.replays[record.offset] = letter


def _weigh(chunk: Chunk, records: Sequence[Record], *, keep: bool) -> None:
    """Add up what the chunk holds; keep the originals where that was asked for."""
    if keep:
        chunk.originals = {record.offset: record for record in records}
    kept = sum(len(record.value or b"") for record in chunk.originals.values())
    chunk.size = kept + sum([change.size for change in chunk.changes]) + _CHANGE_OVERHEAD * len(chunk.changes)


def toastable_columns(flow: Flow) -> list[tuple[str, str]]:
    """(target column, source column) of columns long enough to be stored out of line."""
    return [
        (column.name, column.source) for column in flow.target.columns if flow.source.column(column.source).sql_type.can_be_long
    ]
