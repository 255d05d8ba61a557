"""What the target databases hold of all workers, for the pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.questions import Questions
from flows.registry import FLOWS
from flows.tables import Database
from sinks.operations import letters, parked
from sinks.operations.flow_control import FlowStatus, flow_status
from sinks.operations.health import Health, health
from sinks.operations.positions import Position, positions
from sinks.operations.workers import WorkerStatus, workers


class DatabaseCluster:
    """Fulfils ``views.protocols.ClusterView``."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def workers(self) -> Sequence[WorkerStatus]:
        """Every worker as it last reported."""
        return await self._questions.ask(Database.CITIZEN, workers)

    async def flows(self) -> Sequence[FlowStatus]:
        """Every flow's state."""
        return [await self._questions.of(flow, flow_status) for flow in FLOWS]

    async def ledger(self) -> Sequence[Position]:
        """Every ledger row."""
        return [row for flow in FLOWS for row in await self._questions.of(flow, positions)]

    async def health(self, database: Database) -> Health:
        """By a question to it."""
        return await self._questions.ask(database, health)

    async def parked(self) -> Mapping[str, int]:
        """Keys that wait by flow."""
        return {flow.name: parked.waiting(await self._questions.of(flow, parked.counts)) for flow in FLOWS}

    async def dead_letters(self) -> Mapping[str, int]:
        """Open letters by flow."""
        found = [await self._questions.ask(database, letters.open_by_reason) for database in Database]
        return {flow: sum(reasons.values()) for by_flow in found for flow, reasons in by_flow.items()}
