"""A heartbeat: a row that the connector writes into its source and reads again like any other, so that silence shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flows.registry import flows_from
from flows.replication import heartbeat_table
from flows.tables import Database
from metrics import catalogue
from metrics.broker_log import Log, Partition
from metrics.samples import Samples


@dataclass
class Heartbeats:
    """Reads the last beat of every source; of a topic that has not grown nothing is read."""

    log: Log
    timeout: float = 5.0
    _ends: dict[Partition, int] = field(default_factory=dict)
    _beats: dict[Database, datetime] = field(default_factory=dict)

    async def look(self) -> dict[Database, datetime]:
        """When the newest beat of each source was written there; a source whose connector never wrote has none."""
        topics = {heartbeat_table(database).topic: database for database in Database if flows_from(database)}
        there = await self.log.existing(topics)
        ends = await self.log.end_offsets([(topic, 0) for topic in there]) if there else {}
        grown = {place: end for place, end in ends.items() if end and self._ends.get(place) != end}
        found = await self.log.records_at({place: end - 1 for place, end in grown.items()}, self.timeout) if grown else {}
        for place, record in found.items():
            beat = _written(record.value)
            if beat is not None:
                self._beats[topics[place[0]]] = beat
            self._ends[place] = grown[place]
        return dict(self._beats)


def _written(value: bytes | None) -> datetime | None:
    """The time in a beat; ``None`` for a record that has none, such as a tombstone."""
    row = json.loads(value)["after"] if value else None
    return datetime.fromisoformat(row["beat_at"]) if row else None


def heartbeat_samples(facts: Mapping[Database, datetime], now: float) -> Samples:
    """When, and how long ago."""
    samples = Samples()
    for database, beat in facts.items():
        samples.set(catalogue.HEARTBEAT, beat.timestamp(), database.value)
        samples.set(catalogue.HEARTBEAT_AGE, max(now - beat.timestamp(), 0.0), database.value)
    return samples
