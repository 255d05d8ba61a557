"""What we rely on in Faust, of which none is a public promise. A new version of Faust must pass this before it is used."""

import inspect

import aiokafka
import faust
from aiokafka.structs import ConsumerRecord
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as aiokafka_driver
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from streams.batches import BatchScheduler, RecordBatch
from streams.transport import LedgerConsumer, ReadOffsets


def test_the_version_is_the_one_that_was_read():
    assert (faust.__version__, aiokafka.__version__) == ("0.15.3", "0.14.0")


def test_perform_seek_is_still_a_coroutine_without_arguments_that_recovery_calls():
    from faust.tables import recovery

    assert inspect.iscoroutinefunction(Consumer.perform_seek)
    assert list(inspect.signature(Consumer.perform_seek).parameters) == ["self"]
    source = inspect.getsource(recovery.Recovery)
    for step in ("_resume_streams", "on_recovery_completed"):
        body = source[source.index(f"async def {step}") :]
        assert body.index("resume_partitions") < body.index("perform_seek") < body.index("resume_flow")


def test_a_batch_has_every_field_that_faust_reads_from_a_record():
    record = ConsumerRecord("t", 3, 7, 1000, 0, b"k", b"v", None, 1, 1, ())
    message = LedgerConsumer._to_message.__get__(_Stub())(TP("t", 3), RecordBatch([record]))
    assert (message.topic, message.partition, message.offset, message.value) == ("t", 3, 7, [record])


def test_the_fetch_wait_is_still_hard_coded_and_read_when_the_consumer_starts():
    assert "fetch_max_wait_ms=1500" in inspect.getsource(AIOKafkaConsumerThread._create_worker_consumer)
    assert "fetch_max_wait_ms=self._fetch_max_wait_ms" in inspect.getsource(aiokafka.AIOKafkaConsumer.start)
    assert "AIOKafkaConsumerThread(self, loop=self.loop, beacon=self.beacon)" in inspect.getsource(
        aiokafka_driver.Consumer._new_consumer_thread
    )


class _Stub:
    class app:  # noqa: N801
        consumer_generation_id = 1


def test_read_offsets_are_looked_up_by_item_and_never_block_a_source_topic():
    assert "self._read_offset.__getitem__" in inspect.getsource(Consumer._drain_messages)
    offsets = ReadOffsets(frozenset({"source"}))
    offsets[TP("source", 0)] = 100
    offsets[TP("changelog", 0)] = 100
    assert offsets[TP("source", 0)] is None
    assert offsets[TP("changelog", 0)] == 100
    assert offsets[TP("changelog", 1)] is None


def test_the_scheduler_hands_over_whole_fetches_of_batched_topics_and_single_records_of_others():
    one, two, other = TP("source", 0), TP("source", 1), TP("other", 0)
    records = {one: [_record(one, 5), _record(one, 6)], two: [], other: [_record(other, 1), _record(other, 2)]}
    scheduler = BatchScheduler()
    scheduler.batched = frozenset({"source"})
    found = list(scheduler.iterate(records))
    assert [(tp, record.offset) for tp, record in found] == [(one, 6), (other, 1), (other, 2)]
    assert found[0][1].value == records[one]


def _record(tp, offset):
    return ConsumerRecord(tp.topic, tp.partition, offset, 1000, 0, b"k", b"v", None, 1, 1, ())
