"""What we rely on in Faust, of which none is a public promise. A new version of Faust must pass this before it is used."""

import inspect
import re

import aiokafka
import faust
from aiokafka.consumer.fetcher import Fetcher
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
    message = LedgerConsumer._to_message.__get__(_Stub())(TP("t", 3), RecordBatch(record, [record]))
    assert (message.topic, message.partition, message.offset, message.value) == ("t", 3, 7, [record])


def test_the_thread_makes_its_consumer_where_it_starts_and_the_consumer_its_fetcher():
    assert "await self._consumer.start()" in inspect.getsource(AIOKafkaConsumerThread.on_start)
    assert "self._fetcher = Fetcher(" in inspect.getsource(aiokafka.AIOKafkaConsumer.start)
    assert "AIOKafkaConsumerThread(self, loop=self.loop, beacon=self.beacon)" in inspect.getsource(
        aiokafka_driver.Consumer._new_consumer_thread
    )


def test_the_fetcher_asks_whom_to_name_after_every_answer_and_reads_the_wait_there():
    routine, actions = (inspect.getsource(method) for method in (Fetcher._fetch_requests_routine, Fetcher._get_actions_per_node))
    assert "self._get_actions_per_node(assignment)" in routine
    assert "for tp in assignment.tps:" in actions
    assert set(re.findall(r"assignment\.(\w+)", actions)) == {"tps", "state_value"}
    assert "self._fetch_max_wait_ms," in actions
    assert "fetch_requests,\n            awaiting_reset" in actions


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


def test_the_scheduler_hands_over_a_fetch_of_a_source_as_one_of_a_changelog_by_partition_and_single_records_of_others():
    one, two, three, other = TP("source", 0), TP("source", 1), TP("source", 2), TP("other", 0)
    changelog = [TP("changelog", 0), TP("changelog", 1)]
    records = {one: [_record(one, 5), _record(one, 6)], two: [], three: [_record(three, 3)]}
    records |= {tp: [_record(tp, 8), _record(tp, 9)] for tp in changelog}
    records[other] = [_record(other, 1), _record(other, 2)]
    found = list(_scheduler().iterate(records))
    changes = [(changelog[0], 9), (changelog[1], 9)]
    assert [(tp, record.offset) for tp, record in found] == [*changes, (one, 6), (other, 1), (other, 2)]
    assert [record.value for _, record in found[:3]] == [
        records[changelog[0]],
        records[changelog[1]],
        [records[one], records[three]],
    ]


def test_a_partition_that_was_closed_after_the_fetch_takes_no_other_along():
    one, two = TP("source", 0), TP("source", 1)
    scheduler = _scheduler()
    scheduler.is_read = lambda tp: tp != one
    found = list(scheduler.iterate({one: [_record(one, 5)], two: [_record(two, 8)]}))
    assert [(tp, record.value) for tp, record in found] == [(two, [[_record(two, 8)]])]
    scheduler.is_read = lambda _: False
    assert list(scheduler.iterate({one: [_record(one, 5)]})) == []


def test_faust_asks_for_an_event_just_before_it_looks_whether_the_partition_is_read():
    body = inspect.getsource(Consumer.getmany)
    assert "records_it = self.scheduler.iterate(records)" in body
    assert body.index("for tp, record in records_it") < body.index("tp in active_partitions") < body.index("yield tp, to_message")


def _scheduler():
    scheduler = BatchScheduler()
    scheduler.sources, scheduler.changelogs = frozenset({"source"}), frozenset({"changelog"})
    return scheduler


def _record(tp, offset):
    return ConsumerRecord(tp.topic, tp.partition, offset, 1000, 0, b"k", b"v", None, 1, 1, ())
