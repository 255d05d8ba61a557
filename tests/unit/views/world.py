"""A made-up group of workers, with the real row types, that tests change as they like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.model import Flow
from flows.tables import Database
from sinks.operations.flow_control import FlowStatus
from sinks.operations.health import Health
from sinks.operations.positions import Position
from sinks.operations.workers import WorkerStatus
from tests.unit.views.operating import RememberingDesk, sessions
from tests.unit.views.records_world import FLOW, NOON, TOPIC, RecordsWorld, Told
from views.site import mount

COMMANDS = ELIGIBILITY_HINTS.command_topic


def partition(number: int, topic: str = TOPIC, **changes: Any) -> dict[str, Any]:
    """One entry of ``state.partitions``."""
    return {
        "flow": FLOW,
        "topic": topic,
        "partition": number,
        "state": "open",
        "next_offset": 1200 + number,
        "end_offset": 1200 + number,
        "lag_records": 0,
        "lag_seconds": 0.0,
        "rate": 1.5,
        "outcomes": {"applied": 1000, "superseded": 150, "filtered": 50, "tombstones": 0},
        "last_error": None,
    } | changes


def state(numbers: range, **changes: Any) -> dict[str, Any]:
    """What ``sync.worker.state`` holds for a worker with these partitions of both topics."""
    return {
        "pid": 4711,
        "host": "node-1",
        "rss_bytes": 182 * 2**20,
        "agents": [{"flow": FLOW, "topic": topic} for topic in (TOPIC, COMMANDS)],
        "partitions": [partition(number, topic) for topic in (TOPIC, COMMANDS) for number in numbers],
        "flows": [{"flow": FLOW, "state": "open", "rate": 15.0, "events": 12000, "p50_ms": 21.4, "p99_ms": 48.9}],
    } | changes


def worker_row(name: str, held: dict[str, Any], *, silent: float = 0.4, port: int = 6066) -> WorkerStatus:
    return WorkerStatus(name, NOON - timedelta(hours=3), NOON, silent, f"http://127.0.0.1:{port}/", held)


def position(number: int, owner: str | None, topic: str = TOPIC, **changes: Any) -> Position:
    counts = {"applied": 1000, "superseded": 150, "filtered": 50, "parked": 0, "dead_lettered": 0, "tombstones": 0}
    row = Position(FLOW, topic, number, 0, 1200, owner, NOON, NOON, records_read=1200, rewound=0, skipped=0, **counts)
    return replace(row, **changes)


@dataclass
class World(Told):
    """Answers for the worker and the cluster. ``silent`` names the questions that nobody answers."""

    own: dict[str, Any] = field(default_factory=lambda: {"name": "worker-a", **state(range(5))})
    rows: list[WorkerStatus] = field(
        default_factory=lambda: [worker_row("worker-a", state(range(5))), worker_row("worker-b", state(range(5, 10)))]
    )
    control: list[FlowStatus] = field(default_factory=list)
    positions: list[Position] = field(
        default_factory=lambda: [
            position(number, "worker-a" if number < 5 else "worker-b", topic)
            for topic in (TOPIC, COMMANDS)
            for number in range(10)
        ]
    )
    waiting: dict[str, int] = field(default_factory=dict)
    letters: dict[str, int] = field(default_factory=dict)
    heartbeat: datetime | None = NOON - timedelta(seconds=3)
    records: RecordsWorld = field(default_factory=RecordsWorld)
    desk: RememberingDesk = field(default_factory=RememberingDesk)
    now: datetime = NOON

    async def snapshot(self) -> Any:
        return await self._say("snapshot", self.own)

    async def workers(self) -> Any:
        return await self._say("workers", self.rows)

    async def flows(self) -> Any:
        return await self._say("flows", self.control)

    async def ledger(self) -> Any:
        return await self._say("ledger", self.positions)

    async def parked(self) -> Any:
        return await self._say("parked", self.waiting)

    async def dead_letters(self) -> Any:
        return await self._say("dead_letters", self.letters)

    async def health(self, database: Database) -> Any:
        return await self._say(
            f"health of {database.value}", Health("18.1", NOON, NOON, standby=False, connections=12, heartbeat_at=self.heartbeat)
        )

    def clock(self) -> datetime:
        return self.now

    def application(self, flows: Sequence[Flow] = (ELIGIBILITY_HINTS,), **options: Any) -> web.Application:
        application = web.Application()
        among = {"desk": self.desk, "sessions": sessions(self.clock), "flows": flows}
        mount(application, worker=self, cluster=self, records=self.records, clock=self.clock, **(among | options))
        return application
