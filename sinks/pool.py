"""aiopg pools and transactions. aiopg runs in autocommit, so transactions are begun and ended by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg2

from settings import Database
from sinks.connection import Connection

Parameters = Mapping[str, Any] | tuple[Any, ...] | None


class Unavailable(Exception):
    """No connection could be had; an outage, not an error of any row."""


class StatementTimeout(Exception):
    """The server ended a statement that ran too long."""


class Session:
    """One connection in use: statements run one after the other, each one round trip."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def run(self, statement: str, parameters: Parameters = None) -> None:
        """Execute and ignore the answer; raises ``psycopg2.Error`` or :class:`StatementTimeout`, as all three do."""
        try:
            await self._cursor.execute(statement, parameters)
        except asyncio.CancelledError:
            # aiopg reports a statement that the server cancelled as if our task had been.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise StatementTimeout("the statement timeout ended a statement") from None

    async def rows(self, statement: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """Execute and fetch all rows."""
        await self.run(statement, parameters)
        return list(await self._cursor.fetchall())

    async def row(self, statement: str, parameters: Parameters = None) -> tuple[Any, ...] | None:
        """Execute and fetch the first row."""
        await self.run(statement, parameters)
        found: tuple[Any, ...] | None = await self._cursor.fetchone()
        return found


@dataclass(frozen=True)
class Occupancy:
    """Connections that a pool may have, those in use, and how many tasks wait for one."""

    size: int
    in_use: int
    waiting: int


async def begin(session: Session) -> None:
    """Begin a transaction that nobody guards."""
    await session.run("BEGIN")


#: Begins a transaction, or raises because its caller may not write any more.
Begin = Callable[[Session], Awaitable[None]]


class Pool:
    """At most ``pool_size`` connections to one database, opened when they are needed and again after an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._free: list[Any] = []
        self._used: set[Any] = set()
        self._places = asyncio.Semaphore(database.pool_size)
        self._waiting = 0

    @property
    def occupancy(self) -> Occupancy:
        """How full the pool is now."""
        return Occupancy(self._database.pool_size, len(self._used), self._waiting)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session outside of any transaction; raises :class:`Unavailable`.

        A connection on which anything failed is closed, not given back.
        """
        async with self._place():
            connection = await self._taken()
            try:
                async with connection.cursor() as cursor:
                    yield self._session(cursor)
            except BaseException:
                self._close(connection)
                raise
            finally:
                self._used.discard(connection)
                if not connection.closed:
                    self._free.append(connection)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    async def _taken(self) -> Any:
        connection = None
        while self._free and connection is None:
            connection = self._free.pop()
            if connection.closed:
                connection = None
        if connection is None:
            connection = await self._opened()
        self._used.add(connection)
        return connection

    @property
    def _patience(self) -> float:
        """Seconds after which nobody waits for a statement any more."""
        return self._database.statement_timeout / 1000 + self._database.connect_timeout

    def _session(self, cursor: Any) -> Session:
        return Session(cursor)

    async def _opened(self) -> Any:
        """Connect; raises :class:`Unavailable`."""
        database = self._database
        try:
            async with asyncio.timeout(database.connect_timeout + 1):
                return await Connection.open(self._patience, **database.conninfo(), options=session_options(database))
        except (psycopg2.Error, OSError, TimeoutError) as error:
            raise Unavailable(f"{database.host}:{database.port}: {type(error).__name__}") from error

    async def close(self) -> None:
        """Close every connection, also those in use."""
        for connection in (*self._free, *self._used):
            self._close(connection)
        self._free.clear()

    def _close(self, connection: Any) -> None:
        with suppress(OSError, psycopg2.Error):
            connection.close()


def session_options(database: Database) -> str:
    """What every session of ours sets, as the parameter ``options`` of libpq."""
    values = {
        "statement_timeout": database.statement_timeout,
        "lock_timeout": database.lock_timeout,
        "idle_in_transaction_session_timeout": database.idle_in_transaction_timeout,
        "timezone": "UTC",
        "synchronous_commit": "on",
        # Every statement goes by key. On a table that was never analysed the planner would read it whole instead, each time.
        "enable_seqscan": "off",
        "jit": "off",
    }
    return " ".join(f"-c {name}={value}" for name, value in values.items())
