"""The commands, run inside this process, on the shared stack."""

import asyncio
import json
import os
from dataclasses import dataclass

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from typer.testing import CliRunner

from cli.app import app
from cli.topics import ensure_topics
from flows.registry import FLOWS
from schemas.topics import all_topics


@dataclass(frozen=True)
class Platform:
    """Sessions of the administrator with both databases."""

    warehouse: psycopg.Connection
    citizen: psycopg.Connection

    def __getitem__(self, name):
        return getattr(self, name)


@pytest.fixture
def shell(stack, monkeypatch):
    """What the commands read: the settings of the stack, and what a test sets."""
    for name in [name for name in os.environ if name.startswith("SYNC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SYNC_ENV_FILE", str(stack.folder.env_file))
    return monkeypatch


@pytest.fixture
def sync(shell):
    """Run a command."""

    def run(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def answer(sync):
    """Run a command with --json that must end with the exit code, and return its document."""

    def run(*arguments, code=0):
        result = sync(*arguments, "--json")
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def platform(warehouse, citizen):
    """Both databases as their owners made them, without anything of ours."""
    return Platform(warehouse, citizen)


@pytest.fixture
def migrated(platform, sync):
    """Both databases after `migrate`."""
    result = sync("migrate")
    assert result.exit_code == 0, result.output
    return platform


@pytest.fixture
def session_of(stack):
    """Open a session as "" (the worker), "_CONNECT" or "_ADMIN"."""
    opened = []

    def open_session(name, section):
        prefix = f"SYNC_{name.upper()}"
        session = psycopg.connect(
            host=stack.env[f"{prefix}__HOST"],
            port=stack.env[f"{prefix}__PORT"],
            dbname=stack.env[f"{prefix}__DBNAME"],
            user=stack.env[f"{prefix}{section}__USER"],
            password=stack.env[f"{prefix}{section}__PASSWORD"],
            autocommit=True,
        )
        opened.append(session)
        return session

    yield open_session
    for session in opened:
        session.close()


@pytest.fixture
def topics(settings):
    """All topics of the flows, without any connector."""
    asyncio.run(ensure_topics(settings.kafka, all_topics(FLOWS)))
    return settings


@pytest.fixture
def records(settings):
    """Read what a topic holds now, from its beginning."""
    return lambda topic: asyncio.run(read_to_the_end(settings.kafka, topic))


async def read_to_the_end(kafka, topic):
    consumer = AIOKafkaConsumer(**kafka.client_options(), enable_auto_commit=False, max_partition_fetch_bytes=2**24)
    await consumer.start()
    try:
        (count,) = {known.partitions for known in all_topics(FLOWS) if known.name == topic}
        partitions = [TopicPartition(topic, number) for number in range(count)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends, found = await consumer.end_offsets(partitions), []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for fetched in (await consumer.getmany(timeout_ms=200)).values():
                found += fetched
        return found
    finally:
        await consumer.stop()
