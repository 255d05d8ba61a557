"""The RocksDB store of a bulk table: Faust's, with one shared cache, batched recovery and self-healing folders."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

import rocksdict
from faust.stores import rocksdb
from faust.types import TP

OFFSET_KEY: Final = rocksdb.Store.offset_key
WRITE_BUFFER_BYTES: Final = 2**20
OPEN_FILES: Final = 256


class SharedCacheOptions(rocksdb.RocksDBOptions):
    """RocksDB options with one block cache for all partitions; Faust's own make one of 2 GB for each."""

    def __init__(self, cache_bytes: int) -> None:
        super().__init__(use_rocksdict=True)
        self._cache = rocksdict.Cache(cache_bytes)

    def open(self, path: Path, *, read_only: bool = False) -> Any:  # noqa: ARG002 - Faust passes it
        """Open or make the database of one partition."""
        return rocksdict.Rdict(str(path), options=self.as_options())

    def as_options(self) -> rocksdict.Options:
        """Options of one partition: small write buffers, the shared cache."""
        blocks = rocksdict.BlockBasedOptions()
        blocks.set_block_cache(self._cache)
        blocks.set_bloom_filter(10, block_based=False)
        options = rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)  # noqa: FBT003 - the library takes it by position
        options.set_max_open_files(OPEN_FILES)
        options.set_write_buffer_size(WRITE_BUFFER_BYTES)
        options.set_max_write_buffer_number(2)
        options.set_block_based_table_factory(blocks)
        return options


class DiscardedStore(Exception):
    """The files were damaged and are gone; the process is about to end."""


def is_damage(error: BaseException) -> bool:
    """Whether RocksDB found its files damaged. Its binding raises plain ``Exception`` with RocksDB's own words."""
    return type(error) is Exception and str(error).startswith(("Corruption", "IO error"))


class RecoveringTable(Protocol):
    """The part of a table that recovery needs."""

    def restored(self, partition: int, records: Sequence[Any], writes: Any) -> None:
        """Add changelog records to ``writes``."""


class BulkStore(rocksdb.Store):
    """Recovers whole fetches at a time through ``table.restored`` and replaces a folder that cannot be opened."""

    def __init__(self, *args: Any, cache_bytes: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rocksdb_options = SharedCacheOptions(cache_bytes)
        self._discarded = False
        self._crashing: asyncio.Future[None] | None = None

    def database(self, partition: int) -> Any:
        """The open database of a partition; opens it when needed."""
        return self._db_for_partition(partition)

    def _open_for_partition(self, partition: int) -> Any:
        if self._discarded:
            raise DiscardedStore(f"{self.table_name}: the tables were thrown away; the next start recovers them")
        path = self.partition_path(partition)
        try:
            return self.rocksdb_options.open(path)
        except Exception as error:
            if "lock" in str(error).lower():
                raise
            self.log.warning("partition %s: the folder is damaged (%s); made anew from the changelog", partition, error)
            shutil.rmtree(path, ignore_errors=True)
            return self.rocksdb_options.open(path)

    def discard(self, partition: int) -> None:
        """Forget everything that is stored here for the partition."""
        self._dbs.pop(partition, None)
        shutil.rmtree(self.partition_path(partition), ignore_errors=True)

    def discard_all(self) -> None:
        """Forget all partitions, for good: one disk, one cause, and one restart is enough.

        Until the process has ended other lanes may go on for a moment. What they wrote into a new database would look complete
        to the next start, so there is none for them.
        """
        self._discarded = True
        for partition in range(cast("int", self.table.partitions)):
            self.discard(partition)

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:  # noqa: ARG002 - Faust passes them
        """Write recovered records; the value of an event is the list of records of one fetch."""
        table = cast("RecoveringTable", self.table)
        fetched: dict[TP, list[Any]] = defaultdict(list)
        for event in batch:
            fetched[event.message.tp].extend(event.message.value)
        for tp, records in fetched.items():
            try:
                self._restore(table, tp.partition, records)
            except Exception as error:
                if is_damage(error):
                    self.discard_all()
                    # Faust would log this and go on waiting; a new start recovers the partition from the beginning.
                    self._crashing = asyncio.ensure_future(self.app.crash(error))
                raise

    def _restore(self, table: RecoveringTable, partition: int, records: Sequence[Any]) -> None:
        writes = rocksdict.WriteBatch(raw_mode=True)
        table.restored(partition, records, writes)
        writes.put(OFFSET_KEY, str(records[-1].offset).encode())
        self.database(partition).write(writes)
