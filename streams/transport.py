"""The one upstream method that is overridden: where the consumer starts reading.

Faust seeks to the committed offsets, which can stand beyond records that were never applied (measured: rows lost at every
kill). The position that counts is the ledger's, and only lanes know it; so source partitions stay silent here until their
lane has taken its fencing token and asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faust.transport.drivers import aiokafka
from faust.types import TP

#: What the consumer tells about the end of a rebalance: the source partitions that wait for their lanes.
Listener = Callable[[set[TP]], None]


class LedgerConsumer(aiokafka.Consumer):
    """A consumer whose source partitions start at the ledger's position."""

    source_topics: frozenset[str] = frozenset()
    on_ready: Listener | None = None
    _open: set[TP]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open = set()

    def _sources(self) -> set[TP]:
        return {tp for tp in self.assignment() if tp.topic in self.source_topics}

    async def perform_seek(self) -> None:
        """Keep source partitions paused; tell the lanes that the tables are recovered. Takes no token, moves no ledger."""
        sources = self._sources()
        self.pause_partitions(sources - self._open)
        if self.on_ready is not None:
            self.on_ready(sources)

    async def open_at(self, tp: TP, offset: int) -> None:
        """Read ``tp`` from ``offset`` on."""
        if tp in self.assignment():
            await self.seek(tp, offset)
            self._open.add(tp)
            self.resume_partitions({tp})

    def close_partitions(self, tps: set[TP]) -> None:
        """Fetch no more from ``tps`` until they are opened again."""
        self._open -= tps
        self.pause_partitions(tps)


class LedgerTransport(aiokafka.Transport):
    """Faust's Kafka transport with :class:`LedgerConsumer`."""

    Consumer = LedgerConsumer
