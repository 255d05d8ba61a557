"""Every place to which a value may have come: tables, topics, RocksDB folders, logs, and what was answered."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import rocksdict
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from psycopg import sql

from flows.tables import Database, Table
from settings import Kafka
from tests.support.canaries import table_place, topic_place
from tests.support.canary_search import Search
from tests.support.installation import Installation
from tests.support.kafka import read_back

BLOCK_BYTES = 2**20
TABLES = """
SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2
"""


def search_everything(search: Search, installation: Installation, answers: Mapping[str, bytes]) -> None:
    """Search all places. No worker may run: RocksDB's folders have one owner."""
    databases = {Database.WAREHOUSE: installation.warehouse, Database.CITIZEN: installation.citizen}
    for database, administrator in databases.items():
        with administrator.connect() as connection:
            search_tables(search, database, connection)
    asyncio.run(search_topics(search, installation.settings.kafka))
    root = installation.stack.folder.root
    for folder in stores(root):
        search_store(search, folder)
    for log in sorted((root / "logs").iterdir()):
        search_file(search, f"log {log.name}", log)
    for name, answer in answers.items():
        search.of(f"answer {name}").feed(answer)


def search_tables(search: Search, database: Database, connection: psycopg.Connection[object]) -> None:
    """Search every table as text, ours and the platform's; bytes stand there as hexadecimal digits."""
    for schema, name in connection.execute(TABLES).fetchall():  # type: ignore[misc] # two names
        scan = search.of(table_place(Table(database, schema, name)))
        statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, name))
        with connection.cursor() as cursor, cursor.copy(statement) as rows:
            for block in rows:
                scan.feed(bytes(block))


async def search_topics(search: Search, kafka: Kafka) -> None:
    """Read every topic back, Kafka's and Connect's own too."""
    partitions = await _partitions(kafka)
    scans = {partition.topic: search.of(topic_place(partition.topic)) for partition in partitions}
    async for record in read_back(kafka, partitions):
        parts = (record.key, record.value, *(value for _, value in record.headers))
        scans[record.topic].feed_all(part for part in parts if part)


async def _partitions(kafka: Kafka) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(**kafka.client_options())
    await admin.start()
    try:
        described = await admin.describe_topics(await admin.list_topics())
    finally:
        await admin.close()
    return [TopicPartition(topic["topic"], each["partition"]) for topic in described for each in topic["partitions"]]


def stores(root: Path) -> Iterator[Path]:
    """Return the RocksDB folders of all workers."""
    return (current.parent for current in sorted((root / "data").glob("worker-*/**/CURRENT")))


def open_store(folder: Path, access: rocksdict.AccessType) -> rocksdict.Rdict:
    """Open a folder for bytes as they are."""
    return rocksdict.Rdict(str(folder), options=rocksdict.Options(raw_mode=True), access_type=access)


def search_store(search: Search, folder: Path) -> None:
    """Search keys and values; the files are compressed."""
    store = open_store(folder, rocksdict.AccessType.read_only())
    scan = search.of(f"store {folder.name}")
    for pair in store.items():
        scan.feed_all(pair)
    store.close()


def search_file(search: Search, place: str, file: Path) -> None:
    """Search a file, a block at a time."""
    scan = search.of(place)
    with file.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            scan.feed(block)
