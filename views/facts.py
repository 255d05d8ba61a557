"""Everything that one overview is made from, asked at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from flows.tables import Database
from views.answers import Answer, Question
from views.protocols import Clock, ClusterView, Unanswered, WorkerView
from views.report import ReportError, WorkerReport, read_report

if TYPE_CHECKING:
    from sinks.operations.flow_control import FlowStatus
    from sinks.operations.health import Health
    from sinks.operations.positions import Position
    from sinks.operations.workers import WorkerStatus


FRESH: Final = 0.5  # seconds; many open pages ask no more often than one


@dataclass(frozen=True)
class Facts:
    """The answers; see :class:`views.protocols.WorkerView` and :class:`views.protocols.ClusterView`."""

    at: datetime
    report: Answer[WorkerReport]
    workers: Answer[Sequence[WorkerStatus]]
    flows: Answer[Sequence[FlowStatus]]
    ledger: Answer[Sequence[Position]]
    parked: Answer[Mapping[str, int]]
    dead_letters: Answer[Mapping[str, int]]
    health: Mapping[Database, Answer[Health]]


class Inquiry:
    """Asks the worker and the cluster; :meth:`facts` never fails and never waits long."""

    def __init__(self, worker: WorkerView, cluster: ClusterView, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock
        self._report = Question(self._read, clock)
        self._workers = Question(cluster.workers, clock)
        self._flows = Question(cluster.flows, clock)
        self._ledger = Question(cluster.ledger, clock)
        self._parked = Question(cluster.parked, clock)
        self._dead_letters = Question(cluster.dead_letters, clock)
        self._health = {database: Question(partial(cluster.health, database), clock) for database in Database}
        self._asking = asyncio.Lock()
        self._last: Facts | None = None

    async def _read(self) -> WorkerReport:
        try:
            return read_report(await self._worker.snapshot())
        except ReportError as error:
            raise Unanswered(str(error)) from None

    async def facts(self) -> Facts:
        """Ask everything at once; who comes while others wait gets the same answers."""
        async with self._asking:
            last = self._last
            if last is None or abs((self._clock() - last.at).total_seconds()) >= FRESH:
                last = self._last = await self._ask()
            return last

    async def _ask(self) -> Facts:
        health = asyncio.gather(*(question.answer() for question in self._health.values()))
        report, workers, flows, ledger, parked, dead_letters = await asyncio.gather(
            self._report.answer(),
            self._workers.answer(),
            self._flows.answer(),
            self._ledger.answer(),
            self._parked.answer(),
            self._dead_letters.answer(),
        )
        by_database = dict(zip(self._health, await health, strict=True))
        return Facts(self._clock(), report, workers, flows, ledger, parked, dead_letters, by_database)
