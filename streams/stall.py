"""Partitions that stand still although they should move: what only a new start of the worker heals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from streams.lag import records_behind
from streams.lane import Lane, LaneState
from streams.log_reader import Partition

#: Far beyond every timeout of a statement, a lock or an acknowledgement: who waits for one of those moves on by itself.
PATIENCE: Final = 180.0

_Key = tuple[str, str, int]


@dataclass(frozen=True)
class _Standing:
    """At which offset a partition stands, since when, and where its log ended then."""

    offset: int
    since: float
    end: int


class Stalls:
    """Notes which partitions stand still while their log grows. ``clock`` in seconds; ``patience``, too.

    Only an open lane can be stuck. One that is paused, stopped or being rebuilt, or waits for a database, would do so after a new
    start as well.
    """

    def __init__(self, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._clock = clock
        self._standing: dict[_Key, _Standing] = {}
        self._stuck: tuple[str, ...] = ()

    @property
    def stuck(self) -> tuple[str, ...]:
        """Names of partitions, as of the last look."""
        return self._stuck

    def look(self, lanes: Iterable[tuple[str, Lane]], ends: Mapping[Partition, int]) -> None:
        """Compare with the last look; ``lanes`` with the names of their flows."""
        now, seen, stuck = self._clock(), {}, []
        for flow, lane in lanes:
            for topic, offset in lane.next_offsets.items():
                end = ends.get((topic, lane.partition))
                if lane.state is not LaneState.OPEN or end is None or not records_behind(lane, topic, end):
                    continue
                key = flow, topic, lane.partition
                before = self._standing.get(key)
                seen[key] = before if before and before.offset == offset else _Standing(offset, now, end)
                if end > seen[key].end and now - seen[key].since > self._patience:
                    stuck.append(f"{flow} {topic}[{lane.partition}]")
        self._standing, self._stuck = seen, tuple(stuck)
