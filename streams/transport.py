"""The upstream methods that are overridden: where the consumer starts reading, and what its fetches name.

Faust seeks to the committed offsets, which can stand beyond records that were never applied (measured: rows lost at every
kill). The position that counts is the ledger's, and only lanes know it; so source partitions stay silent here until their
lane has taken its fencing token and asks for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError, KafkaError
from faust.transport.drivers import aiokafka
from faust.types import TP

from streams.fetching import SparingFetcher

#: Between two looks whether the thread that is to answer is still there (seconds).
LOOK_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class ConsumerThreadEnded(ConsumerStoppedError):  # type: ignore[misc,unused-ignore]  # aiokafka's classes have no types
    """The thread of the consumer has ended; Faust takes it for the end of a consumer, and a worker that does not stop crashes."""

    def __init__(self, call: Callable[..., Any]) -> None:
        super().__init__(f"{call.__name__}: the consumer's thread has ended; the log says above why. The worker must start anew")


class ReadOffsets(defaultdict[TP, int | None]):
    """Faust's memory of what it read last, by which it drops what comes again.

    It has none for source topics: lanes send partitions back on purpose, and drop repetitions by the ledger.
    """

    def __init__(self, source_topics: frozenset[str]) -> None:
        super().__init__(lambda: None)
        self._source_topics = source_topics

    def __getitem__(self, tp: TP) -> int | None:
        return None if tp.topic in self._source_topics else super().__getitem__(tp)


class SparingThread(aiokafka.AIOKafkaConsumerThread):
    """Faust's consumer thread, with :class:`~streams.fetching.SparingFetcher`.

    Faust lets the broker hold a fetch that finds nothing for 1.5 s. A fetch covers the partitions that have nothing buffered, and
    until it returns no other is sent: while it waits for partitions that are silent, those that are busy stand still.
    """

    async def on_start(self) -> None:
        """Called in the thread."""
        await super().on_start()
        SparingFetcher.replace(self._ensure_consumer()._fetcher)  # noqa: SLF001 - made when the consumer starts

    async def call_thread(self, fun: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """Run ``fun`` in the thread; raises :class:`ConsumerThreadEnded` where Faust would wait for an answer for ever.

        There is no other limit: in an outage of the broker an answer may take long, and waiting is right.
        """
        if self._shutdown.is_set():
            raise ConsumerThreadEnded(fun)
        answer = await self.method_queue.call(self.parent_loop.create_future(), fun, *args, **kwargs)
        try:
            while not (await asyncio.wait([answer], timeout=LOOK_SECONDS))[0]:
                if self._shutdown.is_set():
                    raise ConsumerThreadEnded(fun)
            return answer.result()
        finally:
            answer.cancel()


class LedgerConsumer(aiokafka.Consumer):
    """A consumer whose source partitions start at the ledger's position."""

    source_topics: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: set[TP] = set()
        self._read_offset = ReadOffsets(self.source_topics)

    def _new_consumer_thread(self) -> SparingThread:
        return SparingThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Keep source partitions paused until their lanes open them. Takes no token, moves no ledger.

        Faust also calls it while a rebalance suspends the flow, so it must be harmless at any time.
        """
        sources = {tp for tp in self.assignment() if tp.topic in self.source_topics}
        self.pause_partitions(sources - self._open)

    def is_read(self, tp: TP) -> bool:
        """Whether a source partition is open: what was fetched of another comes too late."""
        return tp in self._open

    async def open_at(self, tp: TP, offset: int) -> None:
        """Read ``tp`` from ``offset`` on, if it is still ours."""
        if tp in self.assignment():
            await self.seek(tp, offset)
            self._open.add(tp)
            self.resume_partitions({tp})

    def close_partitions(self, tps: set[TP]) -> None:
        """Fetch no more from ``tps`` until they are opened again."""
        self._open -= tps
        self.pause_partitions(tps)

    async def hint(self, offsets: Mapping[TP, int]) -> bool:
        """Commit offsets to the group, for lag tools only; nothing depends on them. Returns whether it is done."""
        if not offsets:
            return True
        assigned = self.assignment()  # Faust makes a new set of all partitions each time it is asked
        ours = {TopicPartition(tp.topic, tp.partition): offset for tp, offset in offsets.items() if tp in assigned}
        if ours:
            try:
                consumer = self._thread._ensure_consumer()  # noqa: SLF001 - Faust's own commit crashes the worker when it fails
                await self._thread.call_thread(consumer.commit, ours)
            except (KafkaError, ConsumerThreadEnded) as error:
                log.debug("offset hint not committed: %s", type(error).__name__)
                return False
        return True


class LedgerTransport(aiokafka.Transport):
    """Faust's Kafka transport with :class:`LedgerConsumer`."""

    Consumer = LedgerConsumer
