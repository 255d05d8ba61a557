"""The page of what feeds the flows: the connectors, their replication slots, and their heartbeats."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flows.tables import Database
from views.database_lines import database_lines
from views.gathering import Gathering
from views.levels import Level, slot_level
from views.model import DatabaseLine, Silence
from views.page import Wish
from views.records import Connector
from views.source_problems import slot_share
from views.sources import Sources

if TYPE_CHECKING:
    from sinks.operations.slots import Retention


@dataclass(frozen=True)
class SlotLine:
    """A replication slot of a source. ``share`` of what the server lets it keep, 0 to 1; ``None``: there is no limit."""

    database: str
    slot: Retention
    share: float | None
    level: Level


@dataclass(frozen=True)
class ConnectorsView:
    """A database whose connector was never started has no slot."""

    at: datetime
    silences: tuple[Silence, ...]
    connectors: tuple[Connector, ...]
    slots: tuple[SlotLine, ...]
    databases: tuple[DatabaseLine, ...]


class ConnectorsPage:
    """Looks at Kafka Connect and at both databases."""

    def __init__(self, sources: Sources) -> None:
        self._records = sources.records
        self._clock = sources.clock
        self._inquiry = sources.inquiry

    async def look(self, _: Wish) -> ConnectorsView:
        """All connectors, slots and heartbeats."""
        found = Gathering()
        known, connectors, kept = await asyncio.gather(
            self._inquiry.facts(),
            found.ask("connectors", self._records.connectors(), ()),
            found.of_each("slots", self._records.slots),
        )
        slots = tuple(slot_line(database, slot) for database, those in kept.items() for slot in those)
        return ConnectorsView(self._clock(), found.silences, tuple(connectors), slots, database_lines(known))


def slot_line(database: Database, slot: Retention) -> SlotLine:
    """Judge a slot by what it has kept of what it may keep, and by PostgreSQL's word."""
    share = slot_share(slot)
    return SlotLine(database.value, slot, share, slot_level(slot.wal_status, share))
