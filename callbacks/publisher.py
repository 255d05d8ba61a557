"""Records to Kafka, acknowledged by all in-sync replicas or refused within a bounded time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from schemas.callback_record import CallbackRecord
from settings import PROGRAM, Kafka

log = logging.getLogger(__name__)

RECONNECT_SECONDS: Final = 1.0
#: Above the largest body, which is larger in JSON than as a record.
MAX_RECORD_BYTES: Final = 2 * 2**20

_OUT_OF_REACH: Final = (KafkaError, OSError, TimeoutError)


class Unavailable(Exception):
    """The record may or may not have been stored; sending it again is right."""


class Publisher(Protocol):
    """What the intake needs of Kafka."""

    async def publish(self, record: CallbackRecord) -> None:
        """Return when all in-sync replicas have the record; raises :class:`Unavailable`."""

    async def problem(self) -> str | None:
        """Why nothing can be published now, or ``None``."""


class KafkaPublisher:
    """One idempotent producer at a time.

    A producer that failed to deliver is thrown away: what it failed with may be the end of it, and only the broker knows which
    of its sequence numbers it has seen.
    """

    def __init__(self, kafka: Kafka, topics: Mapping[str, int], timeout: float) -> None:
        self._kafka = kafka
        self._topics = topics
        self._timeout = timeout
        self._producer: Any = None
        self._failed = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Stay connected inside the block, also over outages of the brokers."""
        keeper = asyncio.create_task(self._stay_connected())
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def publish(self, record: CallbackRecord) -> None:
        """Return when all in-sync replicas have the record; raises :class:`Unavailable`."""
        producer = self._producer
        if producer is None:
            raise Unavailable("no broker can be reached")
        try:
            async with asyncio.timeout(self._timeout):
                await self._deliver(producer, record)
        except _OUT_OF_REACH as error:
            raise Unavailable(type(error).__name__) from error

    async def problem(self) -> str | None:
        """Why nothing can be published now, or ``None``. Asks the brokers."""
        producer = self._producer
        if producer is None:
            return "no broker can be reached"
        try:
            async with asyncio.timeout(self._timeout):
                if not await producer.client.force_metadata_update():
                    return "the brokers do not answer"
                return await self._topic_problem(producer)
        except _OUT_OF_REACH as error:
            return f"the brokers do not answer: {type(error).__name__}"

    async def _deliver(self, producer: Any, record: CallbackRecord) -> None:
        sent = None
        try:
            sent = await producer.send(
                record.topic, record.value, record.key, partition=record.partition, headers=list(record.headers)
            )
            await sent
        except (UnknownTopicOrPartitionError, TimeoutError, asyncio.CancelledError):
            if sent is not None:
                self._give_up(producer)
            raise  # a topic that is not there is no fault of the producer
        except _OUT_OF_REACH:
            self._give_up(producer)
            raise

    def _give_up(self, producer: Any) -> None:
        if producer is self._producer:
            self._producer = None
            self._failed.set()

    async def _topic_problem(self, producer: Any) -> str | None:
        for topic, wanted in self._topics.items():
            try:
                found = len(await producer.partitions_for(topic))
            except UnknownTopicOrPartitionError:
                found = 0
            if found != wanted:
                return f"topic {topic} has {found} partitions and must have {wanted}: `{PROGRAM} connect apply`"
        return None

    async def _stay_connected(self) -> None:
        told = False  # an outage is told once
        while True:
            producer = self._make()
            self._failed.clear()
            try:
                async with asyncio.timeout(self._timeout):
                    await producer.start()
                self._producer, told = producer, False
                log.info("connected to Kafka")
                await self._failed.wait()
                log.warning("a record was not acknowledged: connecting anew")
            except _OUT_OF_REACH as error:
                log.log(logging.DEBUG if told else logging.WARNING, "Kafka cannot be reached: %s", type(error).__name__)
                told = True
                await asyncio.sleep(RECONNECT_SECONDS)
            finally:
                self._producer = None
                await self._dispose(producer)

    async def _dispose(self, producer: Any) -> None:
        """Bounded: a producer waits for what it holds until that expires."""
        try:
            async with asyncio.timeout(self._timeout):
                await producer.stop()
        except _OUT_OF_REACH as error:
            log.warning("a producer did not stop in time: %s", type(error).__name__)

    def _make(self) -> Any:
        return AIOKafkaProducer(
            **self._kafka.client_options(),
            acks="all",
            enable_idempotence=True,
            max_request_size=MAX_RECORD_BYTES,
            request_timeout_ms=int(self._timeout * 1000),
        )
