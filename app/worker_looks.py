"""What a worker looks at for its metrics beyond itself. Every worker does, so that the facts are told as long as one lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import mode
import psycopg

from app.health import Check
from app.kept_connection import KeptConnection
from flows.registry import FLOWS
from flows.tables import Database
from metrics.connectors import Connector, connector_samples, connectors
from metrics.database import DatabaseFacts, database_samples, look
from metrics.exposition import Source
from metrics.heartbeats import Heartbeats, heartbeat_samples
from metrics.looks import Look, Subject
from metrics.loop_delay import LoopDelay
from metrics.ownership import Behind, Key, Orphans, Ownership, orphan_samples, ownership_samples
from metrics.worker import table_samples
from settings import Connect, Settings
from sinks.operations.connection import Connection
from sinks.operations.ownership import Place, places, reported, silences
from streams.log_reader import LogReader

T = TypeVar("T")

FAST: Final = 1.0  # seconds: lag is to be right within two
SLOW: Final = 5.0
CONNECT_TIMEOUT: Final = 3.0


class Background(mode.Service):
    """Runs something beside the service that it is added to, until that stops."""

    def __init__(self, run: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._run = run

    @mode.Service.task
    async def _beside(self) -> None:
        await self._run()


class WorkerLooks:
    """``files``: the folders of RocksDB's tables by name."""

    def __init__(self, settings: Settings, files: Callable[[], Mapping[str, Path]]) -> None:
        self._connections = {each: KeptConnection(settings.databases[each.value]) for each in Database}
        self._reader = LogReader(settings.kafka.client_options())
        self._connect = _connect_client(settings.connect)
        self._files = files
        self._delay = LoopDelay()
        self._orphans, heartbeats = Orphans(self._reader), Heartbeats(self._reader)
        self._databases = {each: Look(self._database(each)) for each in Database}
        self._ownership = Look(Subject("ownership", self._look_at_ownership, ownership_samples, FAST))
        self._looks: list[Look[Any]] = [
            *self._databases.values(),
            self._ownership,
            Look(Subject("log", self._look_at_log, orphan_samples, FAST)),
            Look(Subject("heartbeats", heartbeats.look, heartbeat_samples, FAST)),
            Look(Subject("connect", self._look_at_connect, connector_samples, SLOW)),
            Look(Subject("tables", self._look_at_tables, table_samples, SLOW)),
        ]

    @property
    def sources(self) -> list[Source]:
        """What is told."""
        return [*(each.samples for each in self._looks), self._delay.samples]

    @property
    def databases(self) -> dict[str, Check]:
        """Name of a database → why nothing new is known of it, if so."""
        return {database.value: _problem_of(found) for database, found in self._databases.items()}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        await asyncio.gather(*(each.run() for each in self._looks), self._delay.run())

    async def close(self) -> None:
        """Let all go."""
        for connection in self._connections.values():
            connection.close()
        await self._reader.stop()
        await self._connect.aclose()

    def _database(self, database: Database) -> Subject[DatabaseFacts]:
        async def ask() -> DatabaseFacts:
            return await self._ask(database, lambda connection: look(connection, database))

        return Subject(database.value, ask, lambda facts, now: database_samples(database, facts, now), SLOW)

    async def _ask(self, database: Database, query: Callable[[Connection], T]) -> T:
        return await self._connections[database].ask(query)

    async def _look_at_ownership(self) -> Ownership:
        workers, held = await self._ask(Database.CITIZEN, lambda connection: (silences(connection), reported(connection)))
        ledgers = await asyncio.gather(*[self._ledger(database) for database in Database])
        known = [database for database, rows in zip(Database, ledgers, strict=True) if rows is not None]
        flows = [flow for flow in FLOWS if flow.target.table.database in known]
        return Ownership(workers, held, [place for rows in ledgers for place in rows or ()], flows)

    async def _ledger(self, database: Database) -> list[Place] | None:
        """Nothing when the database is away: that of the other is still worth looking at."""
        try:
            return await self._ask(database, places)
        except psycopg.Error:
            return None

    async def _look_at_log(self) -> dict[Key, Behind]:
        ownership = self._ownership.facts
        if ownership is None:
            raise NotKnown("who owns which partition is not known")
        return await self._orphans.look(ownership)

    async def _look_at_connect(self) -> dict[str, Connector]:
        answer = await self._connect.get("/connectors", params={"expand": "status"})
        answer.raise_for_status()
        return connectors(answer.json())

    async def _look_at_tables(self) -> dict[str, int]:
        return await asyncio.to_thread(lambda: {name: _size(folder) for name, folder in self._files().items()})


class NotKnown(Exception):
    """What a look starts from is not known."""


def _problem_of(found: Look[Any]) -> Check:
    return lambda: found.problem


def _size(folder: Path) -> int:
    """Bytes of all files; RocksDB may remove some meanwhile."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def _connect_client(connect: Connect) -> httpx.AsyncClient:
    login = None
    if connect.username is not None and connect.password is not None:
        login = httpx.BasicAuth(connect.username, connect.password.get_secret_value())
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request
    return httpx.AsyncClient(base_url=connect.url, auth=login, timeout=CONNECT_TIMEOUT)
