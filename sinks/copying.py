"""Pools of psycopg 3, for batch jobs: the same sessions, and COPY, which aiopg does not have.

Values are bound on the client's side, as aiopg does, so that both run the same statements.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any, Final

import psycopg
from psycopg.types.string import TextLoader

from settings import Database
from sinks.pool import Parameters, Pool, Session, StatementTimeout, Unavailable, session_options

#: So many lines take about a millisecond.
_TURN: Final = 250
Connection = psycopg.AsyncConnection[Any]


class CopySession(Session):
    """A session that can COPY. Raises ``psycopg.Error`` where others raise ``psycopg2.Error``."""

    def __init__(self, cursor: psycopg.AsyncCursor[Any], timeout: float) -> None:
        super().__init__(cursor)
        self._timeout = timeout

    async def run(self, statement: str, parameters: Parameters = None) -> None:
        """Of several statements in one the last answers."""
        try:
            async with asyncio.timeout(self._timeout):
                await self._cursor.execute(statement, parameters)
        except psycopg.errors.QueryCanceled:
            raise StatementTimeout("the statement timeout ended a statement") from None
        while self._cursor.nextset():
            pass

    async def copy_out(self, statement: str, parameters: Parameters = None) -> AsyncGenerator[memoryview, None]:
        """The lines of a COPY … TO STDOUT, as they come. Many are there at once; others have their turn between some of them."""
        async with self._cursor.copy(statement, parameters) as copy:
            lines = 0
            async for line in copy:
                yield line
                lines += 1
                if lines % _TURN == 0:
                    await asyncio.sleep(0)

    async def copy_in(self, statement: str, blocks: Iterable[bytes]) -> None:
        """Give ``blocks`` to a COPY … FROM STDIN."""
        async with asyncio.timeout(self._timeout), self._cursor.copy(statement) as copy:
            for block in blocks:
                await copy.write(block)


class CopyPool(Pool):
    """See :class:`~sinks.pool.Pool`; its sessions are of :class:`CopySession`."""

    def _session(self, cursor: Any) -> CopySession:
        return CopySession(cursor, self._patience)

    async def _opened(self) -> Connection:
        database = self._database
        try:
            async with asyncio.timeout(database.connect_timeout + 1):
                return await _connected(database)
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise Unavailable(f"{database.host}:{database.port}: {type(error).__name__}") from error

    def _close(self, connection: Connection) -> None:
        connection.pgconn.finish()


async def _connected(database: Database) -> Connection:
    parameters: dict[str, Any] = {**database.conninfo(), "options": session_options(database)}
    connection = await psycopg.AsyncConnection.connect(
        **parameters, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.AsyncClientCursor
    )
    connection.adapters.register_loader("uuid", TextLoader)  # as aiopg gives them
    return connection
