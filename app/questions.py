"""Questions of the pages to both databases. Blocking queries run in threads, off the event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg

from app.kept_connection import KeptConnection
from flows.model import Flow
from flows.tables import Database
from settings import Settings
from sinks.operations.connection import Connection
from views.protocols import Unanswered

T = TypeVar("T")


class Questions:
    """One connection per database, opened at the first question."""

    def __init__(self, settings: Settings) -> None:
        self._connections = {database: KeptConnection(settings.databases[database.value]) for database in Database}

    async def of(self, flow: Flow, query: Callable[[Connection, Flow], T]) -> T:
        """What the flow's target database answers; raises :class:`Unanswered`."""
        return await self.ask(flow.target.table.database, lambda connection: query(connection, flow))

    async def ask(self, database: Database, query: Callable[[Connection], T]) -> T:
        """What a database answers; raises :class:`Unanswered`."""
        try:
            return await self._connections[database].ask(query)
        except psycopg.Error as error:
            raise Unanswered(f"the {database.value} database does not answer") from error

    def close(self) -> None:
        """Let the databases go."""
        for connection in self._connections.values():
            connection.close()
