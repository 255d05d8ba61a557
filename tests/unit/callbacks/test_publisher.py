"""The publisher over a stand-in for the client's producer: what is thrown away, what is kept, and that nothing waits for ever."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    OutOfOrderSequenceNumber,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from callbacks import publisher as publishing
from callbacks.publisher import KafkaPublisher, Unavailable
from schemas.callback_record import CallbackRecord
from settings import Kafka
from tests.support.callbacks import until

RECORD = CallbackRecord("topic", 3, b"key", b"value", [("webhook-id", b"msg_1")])
TIMEOUT = 0.2


class Broker:
    """What all producers of a test meet. Each failure is one exception, raised for as long as it stands."""

    def __init__(self):
        self.made = []
        self.stopped = []
        self.records = []
        self.deliveries = 0
        self.start_failure = self.send_failure = self.delivery_failure = None
        self.acknowledged = asyncio.Event()
        self.acknowledged.set()
        self.answers = True
        self.partitions = {"topic": 5}
        self.client = self

    def producer(self, **options):
        self.made.append(options)
        return Producer(self, len(self.made))

    async def force_metadata_update(self):
        return self.answers


class Producer:
    def __init__(self, broker, number):
        self.client = self._broker = broker
        self._number = number

    async def start(self):
        if self._broker.start_failure:
            raise self._broker.start_failure

    async def stop(self):
        self._broker.stopped.append(self._number)

    async def send(self, topic, value, key, partition, headers):
        if self._broker.send_failure:
            raise self._broker.send_failure
        self._broker.records.append((topic, partition, key, value, headers))
        return asyncio.ensure_future(self._acknowledge())

    async def _acknowledge(self):
        await self._broker.acknowledged.wait()
        self._broker.deliveries += 1
        if self._broker.delivery_failure:
            raise self._broker.delivery_failure

    async def partitions_for(self, topic):
        if topic not in self._broker.partitions:
            raise UnknownTopicOrPartitionError
        return set(range(self._broker.partitions[topic]))


@pytest.fixture
async def broker(monkeypatch):
    broker = Broker()
    monkeypatch.setattr(publishing, "AIOKafkaProducer", broker.producer)
    monkeypatch.setattr(publishing, "RECONNECT_SECONDS", 0.01)
    return broker


@asynccontextmanager
async def running():
    publisher = KafkaPublisher(Kafka(bootstrap_servers="kafka.example:9092"), {"topic": 5}, TIMEOUT)
    async with publisher.running():
        yield publisher


@pytest.fixture
async def publisher(broker):
    async with running() as publisher:
        await until(lambda: broker.made)
        yield publisher


async def test_every_producer_waits_for_all_replicas_and_is_idempotent(publisher, broker):
    (options,) = broker.made
    assert (options["acks"], options["enable_idempotence"]) == ("all", True)


async def test_publishing_ends_only_when_the_record_is_acknowledged(publisher, broker):
    broker.acknowledged.clear()
    waiting = asyncio.create_task(publisher.publish(RECORD))
    await until(lambda: broker.records)
    assert not waiting.done()
    broker.acknowledged.set()
    await waiting
    assert broker.records == [("topic", 3, b"key", b"value", [("webhook-id", b"msg_1")])]


async def test_a_record_that_nobody_acknowledges_is_given_up_in_time(publisher, broker):
    broker.acknowledged.clear()
    with pytest.raises(Unavailable):
        await publisher.publish(RECORD)
    assert broker.stopped == [], "the producer goes on repeating it"


async def test_behind_an_overdue_record_its_partition_is_refused_at_once_until_it_has_arrived(publisher, broker):
    broker.acknowledged.clear()
    with pytest.raises(Unavailable, match="TimeoutError"):
        await publisher.publish(RECORD)
    with pytest.raises(Unavailable, match="not acknowledged yet"):
        await publisher.publish(RECORD)
    with pytest.raises(Unavailable, match="TimeoutError"):
        await publisher.publish(replace(RECORD, partition=4))
    broker.acknowledged.set()
    await until(lambda: broker.deliveries == 2)
    await publisher.publish(RECORD)
    await publisher.publish(replace(RECORD, partition=4))


async def test_an_overdue_record_that_fails_in_the_end_gives_its_partition_free(publisher, broker):
    broker.acknowledged.clear()
    with pytest.raises(Unavailable):
        await publisher.publish(RECORD)
    broker.delivery_failure = OutOfOrderSequenceNumber()
    broker.acknowledged.set()
    await until(lambda: broker.deliveries == 1)
    broker.delivery_failure = None
    await publisher.publish(RECORD)


@pytest.mark.parametrize("error", [OutOfOrderSequenceNumber(), TopicAuthorizationFailedError()])
async def test_a_producer_that_the_brokers_refuse_is_replaced(publisher, broker, error):
    broker.delivery_failure = error
    with pytest.raises(Unavailable):
        await publisher.publish(RECORD)
    broker.delivery_failure = None
    await until(lambda: broker.stopped == [1] and len(broker.made) == 2)
    await publisher.publish(RECORD)


async def test_a_producer_whose_sender_has_died_is_replaced(publisher, broker):
    broker.send_failure = OutOfOrderSequenceNumber()
    with pytest.raises(Unavailable):
        await publisher.publish(RECORD)
    await until(lambda: broker.stopped == [1])


@pytest.mark.parametrize("error", [UnknownTopicOrPartitionError(), KafkaTimeoutError()])
async def test_a_topic_that_is_missing_or_full_does_not_cost_the_other_its_producer(publisher, broker, error):
    broker.send_failure = error
    with pytest.raises(Unavailable):
        await publisher.publish(RECORD)
    broker.send_failure = None
    await publisher.publish(RECORD)
    assert broker.stopped == []


async def test_without_a_broker_publishing_is_refused_at_once_until_one_is_there(broker, caplog):
    broker.start_failure = KafkaConnectionError()
    async with running() as publisher:
        await until(lambda: len(broker.made) > 2)
        with pytest.raises(Unavailable):
            await publisher.publish(RECORD)
        assert await publisher.problem() == "no broker can be reached"
        broker.start_failure = None
        made = len(broker.made)
        await until(lambda: len(broker.made) > made)
        assert await publisher.problem() is None
        await publisher.publish(RECORD)
    assert caplog.text.count("cannot be reached") == 1, "an outage is told once"
    assert len(broker.stopped) == len(broker.made)


async def test_readiness_tells_what_is_missing(publisher, broker):
    assert await publisher.problem() is None
    for partitions, found in (({"topic": 4}, 4), ({}, 0)):
        broker.partitions = partitions
        problem = await publisher.problem()
        assert problem.startswith(f"topic topic has {found} partitions and must have 5")
        assert "connect apply" in problem
    broker.answers = False
    assert await publisher.problem() == "the brokers do not answer"
