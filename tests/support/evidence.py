"""What both databases and the topics hold when a promise was broken, beside the logs: a moment later nobody could tell why."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka import TopicPartition

from flows.model import Flow
from flows.registry import FLOWS
from settings import Credentials, Database
from stack.postgres_home import ensure_home
from tests.support.installation import Installation
from tests.support.kafka import read_back


@contextmanager
def kept_of(installation: Installation) -> Iterator[None]:
    """Keep it when the block fails."""
    try:
        yield
    except Exception:
        keep(installation)
        raise


def keep(installation: Installation) -> None:
    """Write a dump of each database and the records of every flow's topics into the folder of the logs."""
    stack, settings = installation.stack, installation.settings
    programs = ensure_home(stack.folder).programs
    for database, login in ((settings.warehouse, settings.warehouse_admin), (settings.citizen, settings.citizen_admin)):
        assert login is not None, "the local stack has administrators"
        _dump(programs / "pg_dump", database, login, stack.folder.log(f"{database.dbname}-dump"))
    for flow in FLOWS:
        asyncio.run(_write(installation, flow))


def _dump(program: Path, database: Database, login: Credentials, file: Path) -> None:
    told = database.conninfo(login)
    secret = os.environ | {"PGPASSWORD": told["password"]}
    address = ["--host", told["host"], "--port", told["port"], "--username", told["user"], told["dbname"]]
    subprocess.run([program, "--data-only", "--file", file, *address], check=True, env=secret)


async def _write(installation: Installation, flow: Flow) -> None:
    partitions = [TopicPartition(topic, number) for topic in flow.topics for number in range(flow.partitions)]
    with installation.stack.folder.log(f"{flow.name}-records").open("wb") as file:
        async for record in read_back(installation.settings.kafka, partitions):
            place = f"{record.topic} {record.partition} {record.offset} {record.timestamp} ".encode()
            file.write(place + (record.key or b"-") + b" " + (record.value or b"-") + b"\n")
