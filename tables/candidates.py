"""The table of candidates: one entry per source row of a ranked flow, in RocksDB and in a changelog topic.

An entry's version only grows. Beside the entries stands an index of when time alone changes something, derived from them,
and, per source topic, the position that the entries reflect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import faust
import msgspec
import rocksdict
from faust.types.stores import StoreT

from flows.model import Flow
from tables.candidate import Candidate, decode, encode, identity_of
from tables.changelog import Append, Appended, BatchProducer, append
from tables.store import OFFSET_KEY, BulkStore

_ENTRY: Final = b"c"
_DUE: Final = b"d"
_POSITION: Final = b"p"
_DAY_MS: Final = 86_400_000


class Position(msgspec.Struct, array_like=True, frozen=True):
    """What the entries of a partition reflect of one topic.

    ``next_offset``: every record below is in the entries. ``floor``: versions at or below it that are not in the entries
    are of rows that were gone when the partition was last rebuilt from the source. ``rebuilt``: how often that was.
    """

    rebuilt: int
    next_offset: int
    floor: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Due:
    """The index entry of a row: at that time (microseconds) something changes for it."""

    at: int
    key: bytes


class Change(msgspec.Struct, frozen=True):
    """A wanted entry. ``kept`` are places in ``shown`` whose value the source did not send: the standing ones stay."""

    key: bytes
    candidate: Candidate
    kept: tuple[int, ...] = ()


@dataclass
class Staged:
    """The outcome of changes against the entries, before anything is written.

    ``accepted[i]``: change i is the newest of its row. ``missing`` are indexes whose kept values are nowhere.
    """

    accepted: list[bool] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    entries: dict[bytes, Candidate] = field(default_factory=dict)
    standing: dict[bytes, Candidate | None] = field(default_factory=dict)

    @property
    def groups(self) -> set[bytes]:
        """Groups of all rows looked at, whether changed or not."""
        return {key[:16] for key in self.standing}


class CandidateTable(faust.Table):
    """A Faust table whose reads and writes go by chunk. Only the lane that owns a partition may write to it."""

    #: Who sends to the changelog; known only once the app has started.
    producer: Callable[[], BatchProducer]
    _appended: dict[int, int]
    _cache_bytes: int

    @classmethod
    def declare(cls, app: faust.App, flow: Flow, *, cache_bytes: int) -> CandidateTable:
        """Add the table of a flow to an app; the changelog's name carries the layout's version."""
        table = cls(
            app,
            name=f"{flow.name}-candidates-v1",
            partitions=flow.partitions,
            key_type=bytes,
            value_type=bytes,
            recovery_buffer_size=2,
            extra_topic_configs={"min.compaction.lag.ms": str(_DAY_MS)},
            beacon=app.tables.beacon,
        )
        table._cache_bytes = cache_bytes
        table._appended = {}
        table.producer = lambda: app.producer._producer
        app.tables.add(table)
        return table

    def _new_store(self) -> StoreT:
        return BulkStore(
            "rocksdb://",
            self.app,
            self,
            table_name=self.name,
            key_type=self.key_type,
            key_serializer=self.key_serializer,
            value_type=self.value_type,
            value_serializer=self.value_serializer,
            cache_bytes=self._cache_bytes,
        )

    def _db(self, partition: int) -> rocksdict.Rdict:
        store: BulkStore = self.data
        return store.database(partition)

    # -- reading ----------------------------------------------------------------------------------------------------

    def position(self, partition: int, topic: str) -> Position | None:
        """What the entries reflect of ``topic``; ``None`` when nothing was ever applied or everything is lost."""
        raw = self._db(partition).get(_POSITION + topic.encode())
        return None if raw is None else _decode_position(raw)

    def changelog_offset(self, partition: int) -> int | None:
        """The offset of the last changelog record that is known to be in the store."""
        raw = self._db(partition).get(OFFSET_KEY)
        return None if raw is None else int(raw)

    def groups(self, partition: int, groups: Iterable[bytes]) -> Iterator[tuple[bytes, list[tuple[int, Candidate]]]]:
        """The candidates of each group, as (primary key, candidate) pairs."""
        cursor = self._db(partition).iter(rocksdict.ReadOptions())
        for group in sorted(groups):
            yield group, list(_scan(cursor, _ENTRY + group))

    def all_groups(self, partition: int) -> Iterator[bytes]:
        """Every group that has an entry, in order."""
        cursor = self._db(partition).iter(rocksdict.ReadOptions())
        cursor.seek(_ENTRY)
        while cursor.valid() and (key := cursor.key()).startswith(_ENTRY):
            yield key[1:17]
            cursor.seek(key[:17] + b"\xff" * 9)

    def entries(self, partition: int) -> Iterator[tuple[bytes, Candidate]]:
        """Every entry of the partition, in key order."""
        cursor = self._db(partition).iter(rocksdict.ReadOptions())
        cursor.seek(_ENTRY)
        while cursor.valid() and (key := cursor.key()).startswith(_ENTRY):
            yield key[1:], decode(cursor.value())
            cursor.next()

    def read(self, partition: int, keys: Sequence[bytes]) -> dict[bytes, Candidate | None]:
        """The entries of some rows; ``None`` where there is none."""
        raw = self._db(partition).get([_ENTRY + key for key in keys]) if keys else []
        return {key: decode(value) if value else None for key, value in zip(keys, raw, strict=True)}

    def due(self, partition: int, now: int, limit: int) -> list[Due]:
        """At most ``limit`` entries for which time alone changes something by ``now`` (microseconds), soonest first."""
        cursor = self._db(partition).iter(rocksdict.ReadOptions())
        cursor.seek(_DUE)
        found: list[Due] = []
        while cursor.valid() and len(found) < limit and (key := cursor.key()).startswith(_DUE):
            at = int.from_bytes(key[1:9], "big")
            if at > now:
                break
            found.append(Due(at, key[9:]))
            cursor.next()
        return found

    # -- writing ----------------------------------------------------------------------------------------------------

    def stage(self, partition: int, changes: Sequence[Change], floor: tuple[int, int]) -> Staged:
        """Decide each change against the newest version of its row, in order. Writes nothing."""
        staged = Staged()
        staged.standing = self.read(partition, list({change.key for change in changes}))
        for index, change in enumerate(changes):
            standing = staged.entries.get(change.key) or staged.standing[change.key]
            accepted = _is_newer(change.candidate, standing, floor)
            if accepted and change.kept:
                accepted = self._keep(staged, index, change, standing)
            elif accepted:
                staged.entries[change.key] = change.candidate
            staged.accepted.append(accepted)
        return staged

    def _keep(self, staged: Staged, index: int, change: Change, standing: Candidate | None) -> bool:
        """Carry values forward that the source did not send again."""
        if standing is None or not standing.live:
            staged.missing.append(index)
            return False
        shown = list(change.candidate.shown)
        for place in change.kept:
            shown[place] = standing.shown[place]
        staged.entries[change.key] = msgspec.structs.replace(change.candidate, shown=tuple(shown))
        return True

    async def write(
        self,
        partition: int,
        entries: dict[bytes, Candidate | None],
        standing: dict[bytes, Candidate | None],
        positions: dict[str, Position],
    ) -> Append:
        """Put entries (``None`` forgets one) and positions into RocksDB and send them to the changelog.

        ``standing`` is what stood before, so that the index follows. Await the result before the source offset moves on.
        """
        items: list[tuple[bytes, bytes | None]] = []
        writes = rocksdict.WriteBatch(raw_mode=True)
        for key, candidate in entries.items():
            value = None if candidate is None else encode(candidate)
            _put(writes, key, candidate, value, standing.get(key))
            items.append((_ENTRY + key, value))
        for topic, position in positions.items():
            key, value = _POSITION + topic.encode(), _encode_position(position)
            writes.put(key, value)
            items.append((key, value))
        self._db(partition).write(writes)
        return await self._append(partition, items)

    async def _append(self, partition: int, items: list[tuple[bytes, bytes | None]]) -> Append:
        expected = self._appended.get(partition)
        now = int(time.time() * 1000)
        return await append(self.producer(), self.changelog_topic_name, partition, items, now, expected)

    async def append_again(self, partition: int, keys: Iterable[bytes]) -> Append:
        """Send what stands for raw changelog keys once more."""
        wanted = list(dict.fromkeys(keys))
        return await self._append(partition, list(zip(wanted, self._db(partition).get(wanted), strict=True)))

    def acknowledged(self, partition: int, appended: Appended) -> None:
        """Remember how far the changelog reflects the store."""
        self._appended[partition] = appended.last_offset + 1
        self._db(partition).put(OFFSET_KEY, str(appended.last_offset).encode())

    def reindex(self, partition: int, due: Iterable[Due], kept: dict[bytes, Candidate], now: int) -> None:
        """Take ``due`` out of the index; entries that are kept come back when something changes for them again."""
        writes = rocksdict.WriteBatch(raw_mode=True)
        for found in due:
            writes.delete(_due_key(found.at, found.key))
        for key, candidate in kept.items():
            writes.put(_due_key(candidate.due_at if candidate.due_at > now else candidate.forget_at, key), b"")
        self._db(partition).write(writes)

    def discard(self, partition: int) -> None:
        """Throw away the local copy of a partition."""
        store: BulkStore = self.data
        store.discard(partition)
        self._appended.pop(partition, None)

    def forget_ownership(self) -> None:
        """Partitions may have had other owners since: their changelogs may have grown."""
        self._appended.clear()

    # -- recovery ---------------------------------------------------------------------------------------------------

    def restored(self, partition: int, records: Sequence[Any], writes: Any) -> None:
        """Add changelog records to ``writes``, keeping the greater version: a frozen owner may have written late."""
        newest: dict[bytes, bytes | None] = {}
        for record in records:
            newest[record.key] = _greater(record.key, newest.get(record.key), record.value)
        keys = list(newest)
        for key, stored in zip(keys, self._db(partition).get(keys), strict=True):
            value = _greater(key, stored, newest[key])
            if key.startswith(_ENTRY):
                candidate = decode(value) if value else None
                _put(writes, key[1:], candidate, value, decode(stored) if stored else None)
            elif value is not None:
                writes.put(key, value)


_encode_position: Final = msgspec.msgpack.Encoder().encode
_decode_position: Final = msgspec.msgpack.Decoder(Position).decode


def _greater(key: bytes, standing: bytes | None, given: bytes | None) -> bytes | None:
    if standing is None or given is None:
        return given
    if key.startswith(_POSITION):
        old, new = _decode_position(standing), _decode_position(given)
        return given if (new.rebuilt, new.next_offset) >= (old.rebuilt, old.next_offset) else standing
    return given if decode(given).version >= decode(standing).version else standing


def _is_newer(given: Candidate, standing: Candidate | None, floor: tuple[int, int]) -> bool:
    """At one version an upsert beats a delete: a move inside a partition sends both with one LSN."""
    if standing is None:
        return given.version > floor
    if given.version == standing.version:
        return given.live or not standing.live
    return given.version > standing.version


def _put(writes: Any, key: bytes, candidate: Candidate | None, value: bytes | None, standing: Candidate | None) -> None:
    if standing is not None:
        writes.delete(_due_key(standing.due_at, key))
        writes.delete(_due_key(standing.forget_at, key))
    if candidate is None or value is None:
        writes.delete(_ENTRY + key)
    else:
        writes.put(_ENTRY + key, value)
        writes.put(_due_key(candidate.due_at, key), b"")


def _due_key(due: int, key: bytes) -> bytes:
    return _DUE + max(due, 0).to_bytes(8, "big") + key


def _scan(cursor: Any, prefix: bytes) -> Iterator[tuple[int, Candidate]]:
    cursor.seek(prefix)
    while cursor.valid() and (key := cursor.key()).startswith(prefix):
        yield identity_of(key[1:]), decode(cursor.value())
        cursor.next()
