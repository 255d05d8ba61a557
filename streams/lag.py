"""How far partitions are behind their log: the age of the oldest record that is in the log and not applied."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aiokafka.errors import KafkaError

from streams.lane import Lane
from streams.log_reader import LogReader, Partition
from streams.outcomes import PartitionStatistics

#: A status is due every second; one that waits longer for the broker tells more by being late.
ANSWER_SECONDS: Final = 1.0


class Lag:
    """Lanes know the oldest record that they hold. Of partitions whose lane holds none, the log is asked.

    That is once per offset, and one request for all of them; ``clock`` in seconds since 1970.
    """

    def __init__(self, reader: LogReader, clock: Callable[[], float] = time.time) -> None:
        self._reader = reader
        self._clock = clock
        self._turn = asyncio.Lock()

    async def learn(self, lanes: Iterable[Lane], ends: Mapping[Partition, int]) -> None:
        """Bring the statistics of the lanes up to date; where the broker does not answer, what was last known stands."""
        async with self._turn:
            unknown = [
                (lane.statistics[topic], (topic, lane.partition), lane.next_offsets[topic])
                for lane in lanes
                for topic in _look(lane, ends)
            ]
            if unknown:
                await self._ask(unknown)

    async def _ask(self, unknown: list[tuple[PartitionStatistics, Partition, int]]) -> None:
        offsets: dict[Partition, int] = {}
        for _, partition, offset in unknown:
            # Two flows may stand at different offsets of one partition: the second has its turn with the next request.
            offsets.setdefault(partition, offset)
        try:
            records = await self._reader.records_at(offsets, ANSWER_SECONDS)
        except (KafkaError, OSError, TimeoutError):
            return
        for statistics, partition, offset in unknown:
            if offsets[partition] == offset and partition in records:
                statistics.waiting_since, statistics.asked_offset = records[partition].timestamp, offset

    def seconds(self, statistics: PartitionStatistics, behind: int) -> float:
        """The age of the oldest of ``behind`` records; 0 when level with the log, or when nothing could be learned yet."""
        if behind == 0 or statistics.waiting_since is None:
            return 0.0
        return max(self._clock() - statistics.waiting_since / 1000, 0.0)


def records_behind(lane: Lane, topic: str, end: int | None) -> int:
    """How many records the log holds that are not applied."""
    next_offset = lane.next_offsets[topic]
    return max((end or next_offset) - next_offset, 0)


def _look(lane: Lane, ends: Mapping[Partition, int]) -> list[str]:
    """Note what the lane itself knows; returns the topics of which the log is to be asked."""
    behind = [topic for topic in lane.claims if records_behind(lane, topic, ends.get((topic, lane.partition)))]
    for topic in lane.claims.keys() - behind:
        lane.statistics[topic].level()
    asked = []
    for topic in behind:
        held, statistics = lane.oldest_timestamp(topic), lane.statistics[topic]
        if held is not None:
            statistics.holds(held)
        elif statistics.asked_offset != lane.next_offsets[topic]:
            asked.append(topic)
    return asked
