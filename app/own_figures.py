"""What this worker tells of itself: at hand at any moment, nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flows.tables import Database
from metrics.exposition import Source
from metrics.worker import FlowEvents, event_samples, lane_samples, pool_samples, process_samples
from settings import VERSION
from sinks.pool import Pool
from streams.status import StatusBook


class OwnFigures:
    """``started_at`` in seconds since 1970."""

    def __init__(
        self, events: Mapping[str, FlowEvents], status: StatusBook, pools: Mapping[Database, Pool], started_at: float
    ) -> None:
        self.sources: Final[Sequence[Source]] = (
            lambda: event_samples(events),
            lambda: lane_samples(status),
            lambda: pool_samples({database: pool.occupancy for database, pool in pools.items()}),
            lambda: process_samples(started_at, VERSION),
        )
