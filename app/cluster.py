"""What the target databases hold of all workers, for the pages. Blocking queries run in threads, off the event loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import psycopg

from app.kept_connection import KeptConnection
from flows.model import Flow
from flows.registry import FLOWS
from flows.tables import Database
from settings import Settings
from sinks.operations import letters, parked
from sinks.operations.connection import Connection
from sinks.operations.flow_control import FlowStatus, flow_status
from sinks.operations.positions import Position, positions
from sinks.operations.workers import WorkerStatus, workers
from views.protocols import Unanswered

T = TypeVar("T")


class DatabaseCluster:
    """Fulfils ``views.protocols.ClusterView``."""

    def __init__(self, settings: Settings) -> None:
        self._databases = {
            Database.WAREHOUSE: KeptConnection(settings.warehouse),
            Database.CITIZEN: KeptConnection(settings.citizen),
        }

    async def workers(self) -> Sequence[WorkerStatus]:
        """Every worker as it last reported."""
        return await self._ask(Database.CITIZEN, workers)

    async def flows(self) -> Sequence[FlowStatus]:
        """Every flow's state."""
        return [await self._of(flow, flow_status) for flow in FLOWS]

    async def ledger(self) -> Sequence[Position]:
        """Every ledger row."""
        return [row for flow in FLOWS for row in await self._of(flow, positions)]

    async def parked(self) -> Mapping[str, int]:
        """Keys that wait by flow."""
        return {flow.name: parked.waiting(await self._of(flow, parked.counts)) for flow in FLOWS}

    async def dead_letters(self) -> Mapping[str, int]:
        """Open letters by flow."""
        return {flow.name: letters.unsettled(await self._of(flow, letters.counts)) for flow in FLOWS}

    def close(self) -> None:
        """Let the databases go."""
        for database in self._databases.values():
            database.close()

    async def _of(self, flow: Flow, query: Callable[[Connection, Flow], T]) -> T:
        return await self._ask(flow.target.table.database, lambda connection: query(connection, flow))

    async def _ask(self, database: Database, query: Callable[[Connection], T]) -> T:
        try:
            return await self._databases[database].ask(query)
        except psycopg.Error as error:
            raise Unanswered(f"the {database.value} database does not answer") from error
