"""What a worker knows of its lanes, in the shape that ``sync.worker.state`` holds and the pages show."""

from __future__ import annotations

import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import psutil

from streams.coordinator import Coordinator
from streams.lag import Lag, records_behind
from streams.lane import Lane, LaneState
from streams.log_reader import LogReader, Partition
from streams.outcomes import Latencies


class StatusBook:
    """Composes the state; asks the broker for the ends of the owned partitions once per call, and once for what waits.

    ``clock`` in seconds since 1970.
    """

    def __init__(self, coordinators: Iterable[Coordinator], reader: LogReader, clock: Callable[[], float] = time.time) -> None:
        self._coordinators = list(coordinators)
        self._reader = reader
        self._lag = Lag(reader, clock)
        self._process = psutil.Process()

    async def state(self) -> dict[str, Any]:
        """The whole state; raises ``KafkaError`` when the broker does not answer."""
        wanted = [(topic, p) for c in self._coordinators for p, lane in c.lanes.items() for topic in lane.claims]
        ends = await self._reader.end_offsets(wanted) if wanted else {}
        await self._lag.learn([lane for c in self._coordinators for lane in c.lanes.values()], ends)
        flows = self._coordinators
        return {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "rss_bytes": self._process.memory_info().rss,
            "agents": [{"flow": c.services.flow.name, "topic": topic} for c in flows for topic in c.services.flow.topics],
            "partitions": [row for c in flows for row in self._partitions(c, ends)],
            "flows": [_flow(c) for c in flows],
        }

    def _partitions(self, coordinator: Coordinator, ends: dict[Partition, int]) -> list[dict[str, Any]]:
        flow = coordinator.services.flow.name
        return [
            {"flow": flow, "topic": topic, "partition": partition, **self._position(lane, topic, ends.get((topic, partition)))}
            for partition, lane in sorted(coordinator.lanes.items())
            for topic in lane.claims
        ]

    def _position(self, lane: Lane, topic: str, end: int | None) -> dict[str, Any]:
        statistics, behind = lane.statistics[topic], records_behind(lane, topic, end)
        return {
            "state": str(lane.state),
            "next_offset": lane.next_offsets[topic],
            "end_offset": end,
            "lag_records": behind,
            "lag_seconds": round(self._lag.seconds(statistics, behind), 1),
            "rate": round(statistics.rate(), 1),
            "outcomes": {str(outcome): count for outcome, count in statistics.outcomes.items()},
            "last_error": lane.last_error,
        }


def _flow(coordinator: Coordinator) -> dict[str, Any]:
    lanes = list(coordinator.lanes.values())
    book = [statistics for lane in lanes for statistics in lane.statistics.values()]
    latencies = Latencies(deque(sample for statistics in book for sample in statistics.latencies.samples))
    states = {lane.state for lane in lanes}
    return {
        "flow": coordinator.services.flow.name,
        "state": str(next((s for s in (LaneState.STOPPED, LaneState.PAUSED, LaneState.WAITING) if s in states), LaneState.OPEN)),
        "rate": round(sum(statistics.rate() for statistics in book), 1),
        "events": sum(statistics.outcomes.total() for statistics in book),
        "p50_ms": latencies.percentile_ms(0.5),
        "p99_ms": latencies.percentile_ms(0.99),
    }
