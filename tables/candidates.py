"""The table of candidates: one entry per source row of a ranked flow, in RocksDB and in a changelog topic.

An entry's version only grows. Beside the entries stands an index of when time alone changes something, derived from them,
and, per source topic, the position that the entries reflect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import faust
import msgspec
import rocksdict
from faust.types.stores import StoreT

from flows.model import RankedFlow
from tables.changelog import Append, Appended, BatchProducer, Item, append
from tables.entry import (
    GROUP,
    IDENTITY,
    LOWEST,
    PREFIX,
    VERSION,
    Version,
    due_time,
    forget_time,
    identity_of,
    is_live,
    removed,
    renumbered,
    shown_of,
    with_shown,
)
from tables.entry_builder import carried
from tables.store import OFFSET_KEY, BulkStore

_DUE: Final = b"d"
_POSITION: Final = b"p"
_DAY_MS: Final = 86_400_000
#: Entries of other groups that a scan reads past before it seeks: reading on costs less than seeking, up to here.
_SKIPPED: Final = 24

#: Entries by key; ``None`` where there is none.
Entries = dict[bytes, bytes | None]
#: From the (key, entry) pairs of a group to its winners.
Rank = Callable[[Iterable[tuple[bytes, bytes]]], list[bytes]]


class Position(msgspec.Struct, array_like=True, frozen=True):
    """What the entries of a partition reflect of one topic.

    ``next_offset``: every record below is in the entries. ``floor``: versions at or below it that are not in the entries
    are of rows that were gone when the partition was last rebuilt from the source. ``rebuilt``: how often that was.
    """

    rebuilt: int
    next_offset: int
    floor: Version = LOWEST


@dataclass(frozen=True)
class Due:
    """The index entry of a row: at that time (microseconds) something changes for it."""

    at: int
    key: bytes


class Change(msgspec.Struct, frozen=True, gc=False):
    """A wanted entry. ``kept`` are target columns whose value the source did not send: the standing ones stay.

    One without an entry wants the traces of removed rows forgotten, of the whole group; see :func:`forgetting`.
    """

    key: bytes
    entry: bytes
    kept: tuple[str, ...] = ()

    @property
    def row_key(self) -> str:
        """How people name the row: its primary key."""
        return str(identity_of(self.key))

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.key) + len(self.entry)


def forgetting(group: bytes) -> Change:
    """The wish that nothing is remembered of a group's removed rows."""
    return Change(PREFIX + group + bytes(IDENTITY.stop - IDENTITY.start), b"")


@dataclass
class Staged:
    """The outcome of changes against the entries, before anything is written.

    ``accepted[i]``: change i is the newest of its row. ``missing``: indexes of changes whose kept values are nowhere.
    ``entries`` are to be written, ``standing`` is what they replace. ``ranked``: touched group → its winners, in order.
    """

    accepted: list[bool]
    missing: list[int] = field(default_factory=list)
    entries: Entries = field(default_factory=dict)
    standing: Entries = field(default_factory=dict)
    ranked: dict[bytes, list[bytes]] = field(default_factory=dict)


class CandidateTable(faust.Table[bytes, bytes]):
    """A Faust table whose reads and writes go by chunk. Only the lane that owns a partition may write to it."""

    #: Who sends to the changelog; known only once the app has started.
    producer: Callable[[], BatchProducer]
    _appended: dict[int, int]
    _cache_bytes: int

    @classmethod
    def declare(cls, app: faust.App, flow: RankedFlow, *, cache_bytes: int) -> CandidateTable:
        """Add the table of a flow to an app; its name, and with it the changelog's, carries the layout's version."""
        table = cls(
            app,
            name=flow.candidates,
            partitions=flow.partitions,
            key_type=bytes,
            value_type=bytes,
            recovery_buffer_size=2,
            extra_topic_configs={"min.compaction.lag.ms": str(_DAY_MS), "max.compaction.lag.ms": str(7 * _DAY_MS)},
            beacon=app.tables.beacon,
        )
        table._cache_bytes = cache_bytes
        table._appended = {}
        table.producer = lambda: cast("Any", app.producer)._producer  # noqa: SLF001 - Faust sends one by one
        app.tables.add(table)
        return table

    def _new_store(self) -> StoreT[bytes, bytes]:
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

    def _db(self, partition: int) -> Any:
        return cast("BulkStore", self.data).database(partition)

    # -- reading ----------------------------------------------------------------------------------------------------

    def position(self, partition: int, topic: str) -> Position | None:
        """What the entries reflect of ``topic``; ``None`` when nothing was ever applied or everything is lost."""
        raw = self._db(partition).get(_POSITION + topic.encode())
        return None if raw is None else _decode_position(raw)

    def changelog_offset(self, partition: int) -> int | None:
        """The offset of the last changelog record that is known to be in the store."""
        raw = self._db(partition).get(OFFSET_KEY)
        return None if raw is None else int(raw)

    def groups(self, partition: int, groups: Iterable[bytes]) -> Iterator[tuple[bytes, list[tuple[bytes, bytes]]]]:
        """The entries of each group as (key, entry) pairs; groups in order, also those that have none."""
        wanted = sorted(groups)
        if not wanted:
            return
        database = self._db(partition)
        cursor = database.items(from_key=PREFIX + wanted[0])
        line = next(cursor, None)
        for group in wanted:
            prefix, skipped = PREFIX + group, 0
            while line is not None and line[0] < prefix:
                skipped += 1
                if skipped > _SKIPPED:
                    cursor = database.items(from_key=prefix)
                line = next(cursor, None)
            found = []
            while line is not None and line[0].startswith(prefix):
                found.append(line)
                line = next(cursor, None)
            if line is None:
                _raise_if_damaged(database, prefix)
            yield group, found

    def all_groups(self, partition: int) -> Iterator[bytes]:
        """Every group that has an entry, in order."""
        cursor = self._db(partition).iter(rocksdict.ReadOptions())
        cursor.seek(PREFIX)
        while cursor.valid() and (key := cursor.key()).startswith(PREFIX):
            yield key[GROUP]
            cursor.seek(key[: GROUP.stop] + b"\xff" * 9)
        cursor.status()

    def entries(self, partition: int) -> Iterator[tuple[bytes, bytes]]:
        """Every (key, entry) of the partition, in key order."""
        key = PREFIX
        for key, entry in self._db(partition).items(from_key=PREFIX):
            if not key.startswith(PREFIX):
                return
            yield key, entry
        _raise_if_damaged(self._db(partition), key)

    def read(self, partition: int, keys: Sequence[bytes]) -> Entries:
        """The entries of some rows."""
        return dict(zip(keys, self._get(partition, list(keys)), strict=True))

    def _get(self, partition: int, keys: list[bytes]) -> list[bytes | None]:
        return cast("list[bytes | None]", self._db(partition).get(cast(Any, keys))) if keys else []

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
        cursor.status()
        return found

    # -- writing ----------------------------------------------------------------------------------------------------

    def stage(
        self, partition: int, changes: Sequence[Change], floor: Version, rank: Rank | None = None, *, barred: bool = False
    ) -> Staged:
        """Decide each change against the newest version of its row, in order, and rank the touched groups. Writes nothing.

        Goes group by group, so that no more than one group's entries are in memory. ``barred``: the database has refused
        these changes; their rows stay at the last good version, under the refused one's number, which recovery then prefers.
        """
        staged = Staged([False] * len(changes))
        by_group: dict[bytes, list[int]] = {}
        for index, change in enumerate(changes):
            by_group.setdefault(change.key[GROUP], []).append(index)
        for group, found in self.groups(partition, by_group):
            entries = dict(found)
            for index in by_group[group]:
                if not changes[index].entry:
                    _forget_removed(staged, index, entries)
                    continue
                entry = _decided(staged, index, changes[index], entries.get(changes[index].key), floor)
                if entry is not None:
                    _stand(staged, entries, changes[index].key, entry, barred=barred)
            if rank is not None:
                staged.ranked[group] = rank(entries.items())
        return staged

    async def write(
        self, partition: int, entries: Entries, standing: Entries, positions: Mapping[str, Position], *, ranked_at: int = 0
    ) -> Append:
        """Put entries (``None`` forgets one) and positions into RocksDB and send them to the changelog.

        ``standing`` is what stood before, so that the index follows. ``ranked_at`` (microseconds): the groups are ranked as
        of then in the same unit of work, so that what had expired by then need not be looked at again. Await the answer
        before the source offset moves on.
        """
        items: list[Item] = []
        writes = rocksdict.WriteBatch(raw_mode=True)
        for key, entry in entries.items():
            _put(writes, key, entry, standing.get(key), ranked_at)
            items.append((key, entry))
        for topic, position in positions.items():
            key, value = _POSITION + topic.encode(), _encode_position(position)
            writes.put(key, value)
            items.append((key, value))
        self._db(partition).write(writes)
        return await self._append(partition, items)

    async def _append(self, partition: int, items: list[Item]) -> Append:
        expected = self._appended.get(partition)
        now = int(time.time() * 1000)
        return await append(self.producer(), self.changelog_topic_name, partition, items, now, expected)

    async def append_again(self, partition: int, keys: Iterable[bytes]) -> Append:
        """Send what stands for raw changelog keys once more."""
        wanted = list(dict.fromkeys(keys))
        return await self._append(partition, list(zip(wanted, self._get(partition, wanted), strict=True)))

    async def until_acknowledged(self, partition: int, append: Append) -> tuple[range, ...]:
        """Wait for an append and remember it; returns its holes. Raises ``aiokafka.errors.KafkaError``."""
        appended = await append.acknowledged()
        self.acknowledged(partition, appended)
        return appended.holes

    def acknowledged(self, partition: int, appended: Appended) -> None:
        """Remember how far the changelog reflects the store."""
        self._appended[partition] = appended.last_offset + 1
        self._db(partition).put(OFFSET_KEY, str(appended.last_offset).encode())

    def reindex(self, partition: int, due: Iterable[Due], kept: Mapping[bytes, bytes], now: int) -> None:
        """Take ``due`` out of the index; entries that are kept come back when something changes for them again."""
        writes = rocksdict.WriteBatch(raw_mode=True)
        for found in due:
            writes.delete(_due_key(found.at, found.key))
        for key, entry in kept.items():
            writes.put(_due_key(due_time(entry, now + 1), key), b"")
        self._db(partition).write(writes)

    def discard(self, partition: int) -> None:
        """Throw away the local copy of a partition."""
        cast("BulkStore", self.data).discard(partition)
        self._appended.pop(partition, None)

    def discard_all(self) -> None:
        """Throw away the local copy of every partition."""
        cast("BulkStore", self.data).discard_all()
        self._appended.clear()

    def forget_ownership(self) -> None:
        """Partitions may have had other owners since: their changelogs may have grown."""
        self._appended.clear()

    # -- recovery ---------------------------------------------------------------------------------------------------

    def restored(self, partition: int, records: Sequence[Any], writes: Any) -> None:
        """Add changelog records to ``writes``, keeping the greater version: a frozen owner may have written late."""
        newest: Entries = {}
        for record in records:
            newest[record.key] = _greater(record.key, newest.get(record.key), record.value)
        keys = list(newest)
        for key, stored in zip(keys, self._get(partition, keys), strict=True):
            value = _greater(key, stored, newest[key])
            if key.startswith(PREFIX):
                _put(writes, key, value, stored, 0)
            elif value is not None:
                writes.put(key, value)


_encode_position: Final = msgspec.msgpack.Encoder().encode
_decode_position: Final = msgspec.msgpack.Decoder(Position).decode


def _raise_if_damaged(database: Any, after: bytes) -> None:
    """An iterator that meets a damaged block ends as if there were no more: only its status tells, and this raises it."""
    cursor = database.iter(rocksdict.ReadOptions())
    cursor.seek(after)
    while cursor.valid():
        cursor.next()
    cursor.status()


def _greater(key: bytes, standing: bytes | None, given: bytes | None) -> bytes | None:
    if standing is None or given is None:
        return given
    if key.startswith(_POSITION):
        old, new = _decode_position(standing), _decode_position(given)
        return given if (new.rebuilt, new.next_offset) >= (old.rebuilt, old.next_offset) else standing
    return given if given[VERSION] >= standing[VERSION] else standing


def _decided(staged: Staged, index: int, change: Change, standing: bytes | None, floor: Version) -> bytes | None:
    """The entry that the change makes stand, or ``None`` when a newer one does, or a kept value is nowhere."""
    if not _is_newer(change.entry, standing, floor):
        return None
    entry = change.entry
    if change.kept:
        if standing is None or not is_live(standing):
            staged.missing.append(index)
            return None
        entry = with_shown(entry, carried(shown_of(entry), shown_of(standing), change.kept))
    staged.accepted[index] = True
    return entry


def _forget_removed(staged: Staged, index: int, entries: dict[bytes, bytes]) -> None:
    """Rows that stand are none of its business: they go by their own deletes."""
    staged.accepted[index] = True
    for key, entry in [found for found in entries.items() if not is_live(found[1])]:
        staged.standing.setdefault(key, entry)
        staged.entries[key] = None
        del entries[key]


def _stand(staged: Staged, entries: dict[bytes, bytes], key: bytes, entry: bytes, *, barred: bool) -> None:
    standing = entries.get(key)
    staged.standing.setdefault(key, standing)
    if barred:
        entry = removed(entry[VERSION], 0, entry) if standing is None else renumbered(standing, entry[VERSION])
    staged.entries[key] = entries[key] = entry


def _is_newer(given: bytes, standing: bytes | None, floor: Version) -> bool:
    """At one version an upsert beats a delete: a move inside a partition sends both with one LSN."""
    version = given[VERSION]
    if standing is None:
        return version > floor
    if version == standing[VERSION]:
        return is_live(given) or not is_live(standing)
    return version > standing[VERSION]


def _put(writes: Any, key: bytes, entry: bytes | None, standing: bytes | None, ranked_at: int) -> None:
    if standing is not None:
        for due in {due_time(standing, 0), forget_time(standing)}:
            writes.delete(_due_key(due, key))
    if entry is None:
        writes.delete(key)
    else:
        writes.put(key, entry)
        writes.put(_due_key(due_time(entry, ranked_at), key), b"")


def _due_key(due: int, key: bytes) -> bytes:
    return _DUE + due.to_bytes(8, "big") + key
