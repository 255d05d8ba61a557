"""What a worker knows of its lanes, in the shape that ``sync.worker.state`` holds and the pages show."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psutil

from streams.coordinator import Coordinator
from streams.lag import Lag, records_behind
from streams.lane import Lane, LaneState
from streams.log_reader import LogReader, Partition
from streams.outcomes import Latencies
from streams.stall import Stalls


@dataclass(frozen=True)
class PartitionLag:
    """How many ``records`` of a partition wait, and the age of the oldest in ``seconds``; ``None`` when it is not known yet."""

    flow: str
    topic: str
    partition: int
    records: int
    seconds: float | None


class StatusBook:
    """Composes the state; asks the broker for the ends of the owned partitions once per call, and once for what waits.

    ``clock`` in seconds since 1970.
    """

    def __init__(self, coordinators: Iterable[Coordinator], reader: LogReader, clock: Callable[[], float] = time.time) -> None:
        self._coordinators = list(coordinators)
        self._reader = reader
        self._lag = Lag(reader, clock)
        self._process = psutil.Process()
        self._ends: dict[Partition, int] = {}
        self._answered: float | None = None
        self.stalls = Stalls()

    @property
    def broker_silence(self) -> float | None:
        """Seconds since the broker told the ends of our partitions; ``None`` when it never did."""
        return None if self._answered is None else time.monotonic() - self._answered

    @property
    def resident_bytes(self) -> int:
        """Memory of the process."""
        return int(self._process.memory_info().rss)

    async def state(self) -> dict[str, Any]:
        """The whole state; raises ``KafkaError`` when the broker does not answer."""
        wanted = [(topic, p) for c in self._coordinators for p, lane in c.lanes.items() for topic in lane.claims]
        ends = self._ends = await self._reader.end_offsets(wanted) if wanted else {}
        self._answered = time.monotonic()
        self.stalls.look([(c.services.flow.name, lane) for c in self._coordinators for lane in c.lanes.values()], ends)
        await self._lag.learn([lane for c in self._coordinators for lane in c.lanes.values()], ends)
        flows = self._coordinators
        return {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "rss_bytes": self.resident_bytes,
            "agents": [{"flow": c.services.flow.name, "topic": topic} for c in flows for topic in c.services.flow.topics],
            "partitions": [row for c in flows for row in self._partitions(c, ends)],
            "flows": [_flow(c) for c in flows],
        }

    def partition_lags(self) -> Iterator[PartitionLag]:
        """How far the partitions of this worker are behind, as of the broker's last answer; asks nobody."""
        for coordinator in self._coordinators:
            flow = coordinator.services.flow.name
            for lane in coordinator.lanes.values():
                for topic in lane.claims:
                    end = self._ends.get((topic, lane.partition))
                    if end is not None:
                        behind = records_behind(lane, topic, end)
                        yield PartitionLag(flow, topic, lane.partition, behind, self._seconds(lane, topic, behind))

    def _seconds(self, lane: Lane, topic: str, behind: int) -> float | None:
        statistics = lane.statistics[topic]
        known = not behind or statistics.waiting_since is not None
        return self._lag.seconds(statistics, behind) if known else None

    def lane_states(self) -> Counter[tuple[str, str]]:
        """(flow, state) → lanes."""
        return Counter((c.services.flow.name, str(lane.state)) for c in self._coordinators for lane in c.lanes.values())

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
    p50, p99 = latencies.percentiles_ms(0.5, 0.99)
    states = {lane.state for lane in lanes}
    return {
        "flow": coordinator.services.flow.name,
        "state": str(next((s for s in (LaneState.STOPPED, LaneState.PAUSED, LaneState.WAITING) if s in states), LaneState.OPEN)),
        "rate": round(sum(statistics.rate() for statistics in book), 1),
        "events": sum(statistics.outcomes.total() for statistics in book),
        "p50_ms": p50,
        "p99_ms": p99,
    }
