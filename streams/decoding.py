"""A fetched list of records as the changes that it asks of the candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows.model import Flow
from schemas.debezium import Kind, RowChange, decoder, is_unchanged_toast
from schemas.problems import BadRecord
from streams.batches import Record
from tables.candidates import Change
from tables.entry import Version, entry_key, removed, version_of
from tables.entry_builder import entry_builder, shown_columns


@dataclass
class Decoded:
    """``changes[i]`` belongs to record number ``owners[i]``; other fields name records by number.

    ``accepted_truncates``: TRUNCATE records that a rebuild from the source has made good. ``truncated``: the records end
    before a TRUNCATE that has not been. ``source_times`` in microseconds.
    """

    records: Sequence[Record]
    changes: list[Change] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    problems: dict[int, BadRecord] = field(default_factory=dict)
    tombstones: set[int] = field(default_factory=set)
    accepted_truncates: set[int] = field(default_factory=set)
    row_keys: dict[int, str] = field(default_factory=dict)
    source_times: list[int] = field(default_factory=list)
    truncated: bool = False


class Decoder:
    """Decodes records of one flow; ``epoch`` numbers the incarnations of the source database."""

    def __init__(self, flow: Flow, epoch: int) -> None:
        self.epoch = epoch
        self._decode = decoder(flow)
        self._build = entry_builder(flow)
        self._identity = flow.source.primary_key
        self._group = flow.source.message_key
        self._toastable = _toastable(flow)

    def decode(self, records: Sequence[Record], floor: Version) -> Decoded:
        """Decode all records, or those before a TRUNCATE that is newer than ``floor``."""
        decoded = Decoded(records)
        for number, record in enumerate(records):
            try:
                change = self._decode(record.key, record.value)
            except BadRecord as problem:
                decoded.problems[number] = problem
                continue
            if change.kind is Kind.UPSERT or change.kind is Kind.DELETE:
                if change.lsn:  # Snapshot reads are as old as they are; they say nothing about latency.
                    decoded.source_times.append(change.source_time)
                self._add(decoded, number, change)
            elif change.kind is Kind.TOMBSTONE:
                decoded.tombstones.add(number)
            elif version_of(self.epoch, change.lsn) <= floor:
                decoded.accepted_truncates.add(number)
            else:
                decoded.records, decoded.truncated = records[:number], True
                break
        return decoded

    def _add(self, decoded: Decoded, number: int, change: RowChange) -> None:
        version = version_of(self.epoch, change.lsn)
        row = change.after if change.kind is Kind.UPSERT else change.before
        identity = getattr(row, self._identity)
        decoded.row_keys[number] = str(identity)
        if change.kind is Kind.DELETE:
            self._append(decoded, number, row, removed(version, change.source_time))
            return
        if change.before is not None and getattr(change.before, self._identity) != identity:
            # A changed primary key under an unchanged message key comes as one update: a move.
            self._append(decoded, number, change.before, removed(version, change.source_time))
        kept = tuple(name for name, source in self._toastable if is_unchanged_toast(getattr(row, source)))
        self._append(decoded, number, row, self._build(row, version, change.source_time), kept)

    def _append(self, decoded: Decoded, number: int, row: Any, entry: bytes, kept: tuple[str, ...] = ()) -> None:
        decoded.changes.append(Change(entry_key(getattr(row, self._group), getattr(row, self._identity)), entry, kept))
        decoded.owners.append(number)


def _toastable(flow: Flow) -> list[tuple[str, str]]:
    """(target column, source column) of columns long enough to be stored out of line."""
    pairs = [(name, flow.target.column(name).source) for name in shown_columns(flow)]
    return [pair for pair in pairs if flow.source.column(pair[1]).sql_type.base in ("text", "varchar", "jsonb")]


def row_builder(flow: Flow, version: Version, now: int) -> Callable[[Any], tuple[bytes, bytes]]:
    """(key, entry) of rows that were read from the source at a fence, with the fence as their version."""
    build = entry_builder(flow)
    identity, group = flow.source.primary_key, flow.source.message_key

    def entry(row: Any) -> tuple[bytes, bytes]:
        return entry_key(getattr(row, group), getattr(row, identity)), build(row, version, now)

    return entry
