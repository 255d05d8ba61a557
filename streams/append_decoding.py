"""Changes of an append flow: what each says about its row, as a fact that may be added to the target."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from operator import attrgetter
from typing import Any

import msgspec

from flows.append_model import AppendFlow
from schemas.debezium import Kind, RowChange
from sinks.target_rows import row_encoder
from streams import settlement
from streams.batches import Record
from streams.chunk import Chunk
from streams.decoding import CaptureDecoder


class News(Enum):
    """What a change is to those who collect facts."""

    HAPPENED = auto()
    """An insert, or a change of what is watched: a fact."""
    FOUND = auto()
    """The row as a snapshot or a rebuild has read it: its state must have a fact, whichever."""
    NOTHING = auto()
    """What is watched has not changed."""
    GONE = auto()
    """A delete. What happened has happened."""


class Fact(msgspec.Struct, frozen=True, gc=False):
    """``content``: the inside of a JSON object, all target columns but the one to be looked up by ``reference``.

    ``state`` is what the watched column holds. Of a row that is gone, or not told in full, there is nothing but the key.
    """

    row_key: str
    news: News
    state: str = ""
    reference: str = ""
    content: bytes = b""

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.row_key) + len(self.content)


class Facts:
    """Makes :class:`Fact` of source rows with the flow's columns as attributes."""

    def __init__(self, flow: AppendFlow) -> None:
        target = flow.target
        chosen = {flow.time, *dict(flow.only)}
        plain = [name for name in target.column_names if name not in chosen and name != flow.reference.column]
        self._plain = row_encoder(flow, plain)
        self.identity = attrgetter(flow.source.primary_key)
        self._state = attrgetter(flow.watched)
        self._reference = attrgetter(flow.reference_source.name)
        self._time = target.column(flow.time)
        self._own_times = dict(flow.own_times)
        self._only = [(target.column(name), state) for name, state in flow.only]

    def told_of(self, row: Any, news: News) -> Fact:
        """What there is to tell of a row that stands in the source."""
        content = self._plain(row) + b"," + msgspec.json.encode(self._chosen(row))[1:-1]
        return Fact(str(self.identity(row)), news, self._state(row), str(self._reference(row)), content)

    def same(self, before: Any, after: Any) -> bool:
        """Whether nothing that is watched has changed. What was before may not be known, or nonsense."""
        return before is not None and (self.identity(before), self._state(before)) == (self.identity(after), self._state(after))

    def _chosen(self, row: Any) -> dict[str, Any]:
        """The columns whose values depend on the state."""
        state = self._state(row)
        own = self._own_times.get(state)
        given = getattr(row, own) if own else None
        time = self._time.value(getattr(row, self._time.source) if given is None else given)
        only = {column.name: column.value(getattr(row, column.source)) if state == at else None for column, at in self._only}
        return {self._time.name: time} | only


class AppendDecoder(CaptureDecoder):
    """See :class:`~streams.applier.RecordDecoder`. All originals are kept: any of the records may have to be parked."""

    def __init__(self, flow: AppendFlow, epoch: int) -> None:
        super().__init__(flow, epoch)
        self.facts = Facts(flow)
        self._watched = flow.state

    def decode(self, records: Sequence[Record], *, keep: bool = False) -> list[Chunk]:  # noqa: ARG002 as the protocol has it
        """One chunk, or several where a TRUNCATE or a hole stands between."""
        return super().decode(records, keep=True)

    def _add(self, chunk: Chunk, record: Record, change: RowChange) -> None:
        if change.kind is Kind.DELETE:
            chunk.add(record.offset, Fact(str(self.facts.identity(change.before)), News.GONE))
            return
        same = self.facts.same(change.before, change.after)
        if left_out := self._kept(change.after):
            self._add_partial(chunk, record, change.after, same=same or self._watched in left_out)
            return
        news = News.NOTHING if same else News.HAPPENED if change.lsn else News.FOUND
        chunk.add(record.offset, self.facts.told_of(change.after, news))

    def _add_partial(self, chunk: Chunk, record: Record, row: Any, *, same: bool) -> None:
        """The source left out what it had not rewritten: enough to see that nothing happened, too little for a fact."""
        row_key = str(self.facts.identity(row))
        if same:
            chunk.add(record.offset, Fact(row_key, News.NOTHING))
        else:
            chunk.problems[record.offset] = settlement.value_left_out(row_key)
