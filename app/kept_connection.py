"""A connection for questions that come every second: kept open, and used by one thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import psycopg

from settings import Database
from sinks.operations.connection import Connection, connect

#: Milliseconds after which a question is given up: the next ones wait for it.
STATEMENT_MS: Final = 5_000

T = TypeVar("T")


class KeptConnection:
    """Opened at the first question, and again when it is found broken. Questions wait for one another, not the event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"questions to {database.dbname}")
        self._connection: Connection | None = None
        self._closed = False

    async def ask(self, query: Callable[[Connection], T]) -> T:
        """What ``query`` answers; raises ``psycopg.Error``."""
        if self._closed:
            raise psycopg.OperationalError("closed: the worker stops")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, query)

    def close(self) -> None:
        """Close the connection after the question under way, without waiting for it."""
        if not self._closed:
            self._closed = True
            self._thread.submit(self._close)
            self._thread.shutdown(wait=False)

    def _answer(self, query: Callable[[Connection], T]) -> T:
        if self._connection is not None:
            try:
                return query(self._connection)
            except psycopg.Error:
                if not self._connection.closed:
                    raise
        # Never opened, or the server has ended it since the last question: only a new one can tell whether it answers.
        self._connection = connect(self._database, statement_timeout=STATEMENT_MS)
        return query(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
