"""aiopg pools and transactions. aiopg runs in autocommit, so transactions are begun and ended by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import aiopg
import psycopg2

from settings import Database

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


class Pool:
    """Connections to one database, opened on first use and again after an outage."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pool: aiopg.Pool | None = None
        self._opening = asyncio.Lock()

    async def _opened(self) -> aiopg.Pool:
        async with self._opening:
            if self._pool is None:
                self._pool = await aiopg.create_pool(
                    minsize=1,
                    maxsize=self._database.pool_size,
                    timeout=self._database.statement_timeout / 1000 + self._database.connect_timeout,
                    enable_hstore=False,
                    enable_json=False,
                    enable_uuid=False,
                    pool_recycle=-1,
                    **cast("dict[str, Any]", self._database.conninfo()),
                    options=_session_options(self._database),
                )
            return self._pool

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A session outside of any transaction. A connection on which anything failed is closed, not given back."""
        connection = await self._acquire()
        try:
            async with connection.cursor() as cursor:
                yield Session(cursor)
        except BaseException:
            connection.close()
            raise
        finally:
            await self._release(connection)

    async def _acquire(self) -> Any:
        try:
            pool = await self._opened()
            return await asyncio.wait_for(pool.acquire(), self._database.connect_timeout + 1)
        except (psycopg2.Error, OSError, TimeoutError) as error:
            raise Unavailable(f"{self._database.host}:{self._database.port}: {type(error).__name__}") from error

    async def _release(self, connection: Any) -> None:
        if self._pool is not None:
            await self._pool.release(connection)

    async def close(self) -> None:
        """Close every connection, also those in use."""
        if self._pool is not None:
            self._pool.terminate()
            await self._pool.wait_closed()
            self._pool = None


def _session_options(database: Database) -> str:
    values = {
        "statement_timeout": database.statement_timeout,
        "lock_timeout": database.lock_timeout,
        "idle_in_transaction_session_timeout": database.idle_in_transaction_timeout,
        "timezone": "UTC",
        "synchronous_commit": "on",
    }
    return " ".join(f"-c {name}={value}" for name, value in values.items())
