"""Single records of the real log, as a status asks for them."""

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from streams.log_reader import LogReader

TOPIC = "log-reader-test"


@pytest.fixture
async def log(settings):
    """Three partitions of forty records, record n with timestamp n; the last has dropped its first thirty."""
    admin = AIOKafkaAdminClient(**settings.kafka.client_options())
    producer = AIOKafkaProducer(**settings.kafka.client_options())
    reader = LogReader(settings.kafka.client_options())
    await admin.start()
    await producer.start()
    await admin.create_topics([NewTopic(TOPIC, 3, 1)])
    for partition in range(3):
        for number in range(40):
            await producer.send(TOPIC, b"x", partition=partition, timestamp_ms=number)
    await producer.flush()
    await admin.delete_records({TopicPartition(TOPIC, 2): RecordsToDelete(before_offset=30)})
    yield reader
    await reader.stop()
    await producer.stop()
    await admin.delete_topics([TOPIC])
    await admin.close()


async def test_records_at_several_offsets_come_together_and_dropped_ones_are_answered_by_the_first_that_is_left(log):
    found = await log.records_at({(TOPIC, 0): 7, (TOPIC, 1): 39, (TOPIC, 2): 5})
    assert {partition: (record.offset, record.timestamp) for (_, partition), record in found.items()} == {
        0: (7, 7),
        1: (39, 39),
        2: (30, 30),
    }
