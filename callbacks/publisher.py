"""Records to Kafka, acknowledged by all in-sync replicas or refused within a bounded time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

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
    """One idempotent producer, which repeats what the brokers do not acknowledge, in order and without end.

    So a record whose time is over may still arrive. Until it is known to have arrived, records for its partition are refused
    at once: they could only wait behind it. A producer that the brokers have refused is replaced.
    """

    def __init__(self, kafka: Kafka, topics: Mapping[str, int], timeout: float) -> None:
        self._kafka = kafka
        self._topics = topics
        self._timeout = timeout
        self._producer: Any = None
        self._refused = asyncio.Event()
        self._overdue: dict[tuple[str, int], asyncio.Future[Any]] = {}

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
        if self._producer is None:
            raise Unavailable("no broker can be reached")
        overdue = self._overdue.get((record.topic, record.partition))
        if overdue is not None and not overdue.done():
            raise Unavailable("an earlier record of this partition is not acknowledged yet")
        try:
            async with asyncio.timeout(self._timeout):
                await self._deliver(self._producer, record)
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
        try:
            sent = await producer.send(
                record.topic, record.value, record.key, partition=record.partition, headers=list(record.headers)
            )
            await self._acknowledged(sent, record)
        except (UnknownTopicOrPartitionError, KafkaTimeoutError):
            raise  # the topic is missing, or its queue is full: no fault of the producer
        except KafkaError:
            self._replace(producer)
            raise

    async def _acknowledged(self, sent: asyncio.Future[Any], record: CallbackRecord) -> None:
        try:
            await asyncio.shield(sent)
        except asyncio.CancelledError:
            self._overdue[record.topic, record.partition] = sent
            sent.add_done_callback(_heard)
            raise

    def _replace(self, producer: Any) -> None:
        if producer is self._producer:
            self._producer = None
            self._refused.set()

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
            self._refused.clear()
            try:
                async with asyncio.timeout(self._timeout):
                    await producer.start()
                self._producer, told = producer, False
                log.info("connected to Kafka")
                await self._refused.wait()
                log.warning("the brokers refused a record: connecting anew")
            except _OUT_OF_REACH as error:
                log.log(logging.DEBUG if told else logging.WARNING, "Kafka cannot be reached: %s", type(error).__name__)
                told = True
                await asyncio.sleep(RECONNECT_SECONDS)
            finally:
                self._producer = None
                await self._stop(producer)

    async def _stop(self, producer: Any) -> None:
        """Bounded: without brokers a producer keeps what it holds for ever."""
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


def _heard(sent: asyncio.Future[Any]) -> None:
    """Nobody waits for it any more: take note of its error, which asyncio would complain about otherwise."""
    if not sent.cancelled():
        sent.exception()
