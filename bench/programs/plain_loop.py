"""The simplest thing that could work: aiokafka, orjson, aiopg and one upsert per fetch and partition.

No ranking, no table, no ledger, no fencing, no dead letters: the ceiling for these packages, not a rival. Partitions are
written side by side, the fetches of one partition one after the other. Arguments: group, topic, table, its columns as a
record definition, the key first. Any error ends it. Settings come from the environment.
"""

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import aiopg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from settings import Settings, load_settings

WRITERS = 4
FETCH_BYTES = 4 * 2**20
FETCH_RECORDS = 4000
COMMIT_SECONDS = 1.0


class PlainLoop:
    """Reads as a member of a group; commits to Kafka what the database has."""

    def __init__(self, settings: Settings, group: str, topic: str, table: str, record: str) -> None:
        self._settings = settings
        self._topic = topic
        self._group = group
        self._key = column_names(record)[0]
        self._statement = upsert(table, record)
        self._slots = asyncio.Semaphore(WRITERS)
        self._last_write: dict[TopicPartition, asyncio.Task[None]] = {}
        self._written: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Until an error, or until it is cancelled."""
        database: dict[str, Any] = {**self._settings.citizen.conninfo()}
        consumer = AIOKafkaConsumer(
            self._topic,
            **self._settings.kafka.client_options(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        pool = aiopg.create_pool(maxsize=WRITERS, **database)
        async with consumer, pool as connections, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(consumer, connections, tasks))
            tasks.create_task(self._commit(consumer))

    async def _read(self, consumer: AIOKafkaConsumer, pool: aiopg.Pool, tasks: asyncio.TaskGroup) -> None:
        while True:
            for tp, records in (await consumer.getmany(timeout_ms=1000, max_records=FETCH_RECORDS)).items():
                await self._slots.acquire()
                write = self._write(pool, tp, records, self._last_write.get(tp))
                self._last_write[tp] = tasks.create_task(write)

    async def _write(
        self, pool: aiopg.Pool, tp: TopicPartition, records: Sequence[Any], before: asyncio.Task[None] | None
    ) -> None:
        try:
            document = orjson.dumps(newest_rows(records, self._key)).decode()
            if before is not None:
                await before
            async with pool.acquire() as connection, connection.cursor() as cursor:
                await cursor.execute(self._statement, (document,))
            self._written[tp] = records[-1].offset + 1
        finally:
            self._slots.release()

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            owned = consumer.assignment()
            written = {tp: offset for tp, offset in self._written.items() if tp in owned}
            if written:
                await consumer.commit(written)


def newest_rows(records: Sequence[Any], key: str) -> list[dict[str, Any]]:
    """Fold the records of a fetch to the last state of each row, with its version; deletes are not applied."""
    rows: dict[int, dict[str, Any]] = {}
    for record in records:
        change = orjson.loads(record.value)
        row = change["after"]
        row["lsn"] = change["source"]["lsn"]
        rows[row[key]] = row
    return list(rows.values())


def column_names(record: str) -> list[str]:
    """Return the names in ``id bigint, name text``."""
    return [column.split()[0] for column in record.split(", ")]


def upsert(table: str, record: str) -> str:
    """Compose one statement over a JSON array; older versions do not overwrite newer ones."""
    key, *data = column_names(record)
    updates = ", ".join(f"{name} = excluded.{name}" for name in data)
    return (
        f"INSERT INTO {table} AS t ({', '.join([key, *data])})"  # noqa: S608 names of the definition
        f" SELECT * FROM json_to_recordset(%s::json) AS x({record})"
        f" ON CONFLICT ({key}) DO UPDATE SET {updates} WHERE t.lsn <= excluded.lsn"
    )


async def main(arguments: Sequence[str]) -> None:
    """Run until SIGTERM, then leave the group."""
    running = asyncio.ensure_future(PlainLoop(load_settings(), *arguments).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
