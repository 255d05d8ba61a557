"""Who reads which partition, and how far behind those are that nobody reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flows.model import Flow
from flows.registry import FLOWS
from metrics import catalogue
from metrics.broker_log import Log, Partition
from metrics.samples import Samples
from sinks.operations.ownership import Place, Reported
from sinks.operations.workers import STALE_SECONDS

#: A worker reports every second. One that has missed two reports may be dead; others tell the lag of its partitions then, too.
LATE_SECONDS: Final = 2.5
ALIVE: Final = "alive"
SILENT: Final = "silent"

Key = tuple[str, str, int]


@dataclass(frozen=True)
class Ownership:
    """Silences of all workers in seconds, what they report, and the ledger's places of ``flows``."""

    silences: Sequence[float]
    reported: Sequence[Reported]
    places: Sequence[Place]
    flows: Sequence[Flow] = FLOWS

    def held(self, within: float) -> set[Key]:
        """Partitions whose holder has reported within so many seconds."""
        return {(each.flow, each.topic, each.partition) for each in self.reported if each.silent_seconds <= within}


def every_partition(flows: Iterable[Flow] = FLOWS) -> list[Key]:
    """All partitions that workers should read."""
    return [(flow.name, topic, number) for flow in flows for topic in flow.topics for number in range(flow.partitions)]


def ownership_samples(facts: Ownership, _: float) -> Samples:
    """Who reads what, and how far in time."""
    samples = Samples()
    silent = sum(silence > STALE_SECONDS for silence in facts.silences)
    samples.set(catalogue.WORKERS, len(facts.silences) - silent, ALIVE)
    samples.set(catalogue.WORKERS, silent, SILENT)
    held = facts.held(STALE_SECONDS)
    for flow, topic, number in every_partition():
        samples.set(catalogue.OWNED, (flow, topic, number) in held, flow, topic, str(number))
    for place in facts.places:
        if place.source_time is not None:
            samples.set(catalogue.SOURCE_TIME, place.source_time.timestamp(), place.flow, place.topic, str(place.partition))
    return samples


@dataclass(frozen=True)
class Behind:
    """``records`` that wait, the oldest of them since ``since``: Kafka's timestamp in ms; ``None`` when it is not known yet."""

    records: int
    since: int | None


@dataclass
class Orphans:
    """Looks after partitions that nobody reads. Of each the log is asked for one record, once per offset."""

    log: Log
    timeout: float = 5.0
    _asked: dict[Key, tuple[int, int]] = field(default_factory=dict)

    async def look(self, ownership: Ownership) -> dict[Key, Behind]:
        """How far each orphan is behind."""
        nexts = {(place.flow, place.topic, place.partition): place.next_offset for place in ownership.places}
        orphans = set(every_partition(ownership.flows)) - ownership.held(LATE_SECONDS)
        there = await self.log.existing({topic for _, topic, _ in orphans})
        orphans = {key for key in orphans if key[1] in there}
        ends = await self.log.end_offsets({key[1:] for key in orphans}) if orphans else {}
        unread = {key[1:] for key in orphans if key not in nexts}
        starts = await self.log.start_offsets(unread) if unread else {}
        offsets = {key: nexts[key] if key in nexts else starts[key[1:]] for key in orphans}
        records = {key: max(ends[key[1:]] - offset, 0) for key, offset in offsets.items()}
        await self._learn({key: offset for key, offset in offsets.items() if records[key]})
        return {key: Behind(count, self._since(key, offsets[key]) if count else None) for key, count in records.items()}

    async def _learn(self, late: Mapping[Key, int]) -> None:
        self._asked = {key: known for key, known in self._asked.items() if late.get(key) == known[0]}
        wanted: dict[Partition, int] = {}
        for key in late.keys() - self._asked.keys():
            # Two flows may stand at different offsets of one partition: the second has its turn with the next look.
            wanted.setdefault(key[1:], late[key])
        found = await self.log.records_at(wanted, self.timeout) if wanted else {}
        for key in late.keys() - self._asked.keys():
            if key[1:] in found and wanted[key[1:]] == late[key]:
                self._asked[key] = late[key], found[key[1:]].timestamp

    def _since(self, key: Key, offset: int) -> int | None:
        known = self._asked.get(key)
        return known[1] if known and known[0] == offset else None


def orphan_samples(facts: Mapping[Key, Behind], now: float) -> Samples:
    """Lag of the orphans; the age grows between two looks. What is behind since nobody knows when has none yet."""
    samples = Samples()
    for (flow, topic, number), behind in facts.items():
        labels = flow, topic, str(number)
        samples.set(catalogue.LAG_RECORDS, behind.records, *labels)
        if not behind.records:
            samples.set(catalogue.LAG_SECONDS, 0.0, *labels)
        elif behind.since is not None:
            samples.set(catalogue.LAG_SECONDS, max(now - behind.since / 1000, 0.0), *labels)
    return samples
