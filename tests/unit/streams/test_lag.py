import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaConnectionError

from streams.outcomes import PartitionStatistics
from streams.status import StatusBook

NOW = 2_000_000.0
TOPIC, COMMANDS = "rows", "commands"


class Log:
    """A broker's log: 100 records a partition, one a second, the last of them now. Counts and notes what it is asked."""

    def __init__(self, end=100):
        self.end = end
        self.asked = []
        self.error = None

    def age(self, offset):
        return float(self.end - 1 - offset)

    async def end_offsets(self, partitions):
        return {(topic, partition): self.end if topic == TOPIC else 1 for topic, partition in partitions}

    async def records_at(self, offsets, timeout):
        self.asked.append(dict(offsets))
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return {name: SimpleNamespace(timestamp=stamp(self.age(offset))) for name, offset in offsets.items()}


class Lane:
    """As far as the status looks at one."""

    def __init__(self, partition, next_offset, held_age=None, state="open", commands_from=1):
        self.partition = partition
        self.next_offsets = {TOPIC: next_offset, COMMANDS: commands_from}
        self.claims = dict.fromkeys(self.next_offsets)
        self.statistics = {topic: PartitionStatistics() for topic in self.claims}
        self.held = {TOPIC: None if held_age is None else stamp(held_age)}
        self.state = state
        self.last_error = None

    def oldest_timestamp(self, topic):
        return self.held.get(topic)


def stamp(age):
    return int((NOW - age) * 1000)


def flow_of(*lanes, name="flow"):
    services = SimpleNamespace(flow=SimpleNamespace(name=name, topics=(TOPIC, COMMANDS)))
    return SimpleNamespace(services=services, lanes={lane.partition: lane for lane in lanes})


class Book(StatusBook):
    def __init__(self, log, *flows):
        self.now = NOW
        super().__init__(flows, log, lambda: self.now)

    async def lags(self, topic=TOPIC):
        rows = (await self.state())["partitions"]
        return [row["lag_seconds"] for row in rows if row["topic"] == topic]


@pytest.fixture
def log():
    return Log()


async def test_a_partition_that_is_level_with_its_log_is_not_behind_and_nothing_is_asked(log):
    book = Book(log, flow_of(Lane(0, 100), Lane(1, 100)))
    assert await book.lags() == [0.0, 0.0]
    assert log.asked == []


async def test_under_load_the_oldest_record_in_the_lane_counts_and_nothing_is_asked(log):
    lane = Lane(0, 98, held_age=1.5)
    book = Book(log, flow_of(lane))
    assert await book.lags() == [1.5]
    lane.next_offsets[TOPIC], lane.held[TOPIC] = 99, stamp(0.5)
    assert await book.lags() == [0.5]
    assert log.asked == []


async def test_the_lag_of_a_lane_that_is_stuck_grows_with_its_chunk(log):
    book = Book(log, flow_of(Lane(0, 40, held_age=60.0)))
    assert await book.lags() == [60.0]
    book.now += 7
    assert await book.lags() == [67.0]


@pytest.mark.parametrize("state", ["paused", "stopped", "waiting", "recovering", "rebuilding"])
async def test_where_the_lane_holds_nothing_the_log_is_asked_once_for_the_record_that_waits(log, state):
    book = Book(log, flow_of(Lane(0, 40, state=state)))
    assert await book.lags() == [59.0]
    book.now += 100
    assert await book.lags() == [159.0]
    assert log.asked == [{(TOPIC, 0): 40}]


async def test_one_request_asks_for_all_partitions_of_all_flows(log):
    lanes = [Lane(partition, 10 * partition) for partition in range(10)]
    book = Book(log, flow_of(*lanes[:5]), flow_of(*lanes[5:], name="other"))
    assert await book.lags() == [log.age(10 * partition) for partition in range(10)]
    assert log.asked == [{(TOPIC, partition): 10 * partition for partition in range(10)}]


async def test_only_partitions_that_have_moved_are_asked_for_again(log):
    lanes = [Lane(partition, 50) for partition in range(3)]
    book = Book(log, flow_of(*lanes))
    await book.lags()
    lanes[1].next_offsets[TOPIC] = 60
    assert await book.lags() == [49.0, 39.0, 49.0]
    assert log.asked[1:] == [{(TOPIC, 1): 60}]


async def test_two_flows_at_different_places_of_one_partition_are_both_known_soon(log):
    book = Book(log, flow_of(Lane(0, 50)), flow_of(Lane(0, 70), name="other"))
    await book.lags()
    assert await book.lags() == [49.0, 29.0]
    assert [len(asked) for asked in log.asked] == [1, 1]


async def test_states_that_are_composed_at_the_same_time_ask_once(log):
    book = Book(log, flow_of(Lane(0, 50)))
    assert await asyncio.gather(book.lags(), book.lags()) == [[49.0], [49.0]]
    assert len(log.asked) == 1


@pytest.mark.parametrize("error", [KafkaConnectionError(), TimeoutError(), OSError()], ids=repr)
async def test_when_the_broker_does_not_answer_what_was_last_known_stands_and_is_asked_for_again(log, error):
    lane = Lane(0, 50)
    book = Book(log, flow_of(lane))
    await book.lags()
    lane.next_offsets[TOPIC], log.error = 60, error
    assert await book.lags() == [49.0]
    log.error = None
    assert await book.lags() == [39.0]


async def test_what_the_lane_held_last_stands_too(log):
    lane = Lane(0, 50, held_age=45.0)
    book = Book(log, flow_of(lane))
    await book.lags()
    lane.held[TOPIC], log.error = None, TimeoutError()
    assert await book.lags() == [45.0]


async def test_an_unanswered_first_question_claims_no_lag(log):
    log.error = TimeoutError()
    assert await Book(log, flow_of(Lane(0, 50))).lags() == [0.0]


async def test_a_defect_of_the_reader_is_not_taken_for_an_outage(log):
    log.error = RuntimeError("defect")
    with pytest.raises(RuntimeError, match="defect"):
        await Book(log, flow_of(Lane(0, 50))).lags()


async def test_after_it_was_level_a_partition_that_falls_behind_again_is_asked_for_anew(log):
    lane = Lane(0, 50)
    book = Book(log, flow_of(lane))
    await book.lags()
    log.end = 50
    assert await book.lags() == [0.0]
    log.end = 100
    assert await book.lags() == [49.0]
    assert len(log.asked) == 2


async def test_a_record_that_the_lane_holds_of_one_topic_is_not_taken_for_one_of_the_other(log):
    lane = Lane(0, 50, held_age=3.0, commands_from=0)
    book = Book(log, flow_of(lane))
    assert (await book.lags(), await book.lags(COMMANDS)) == ([3.0], [99.0])
    assert log.asked == [{(COMMANDS, 0): 0}]


async def test_a_clock_that_is_behind_the_brokers_makes_no_negative_lag(log):
    assert await Book(log, flow_of(Lane(0, 50, held_age=-5.0))).lags() == [0.0]


async def test_what_metrics_tell_between_two_states_goes_on_with_time_and_with_what_was_applied(log):
    lane = Lane(0, 40)
    book = Book(log, flow_of(lane))
    assert list(book.partition_lags()) == [], "before the broker's first answer nobody knows"
    await book.state()
    book.now += 5
    told = {lag.topic: lag for lag in book.partition_lags()}
    assert (told[TOPIC].records, told[TOPIC].seconds) == (60, 64.0)
    assert (told[COMMANDS].records, told[COMMANDS].seconds) == (0, 0.0)
    lane.next_offsets[TOPIC] = 100
    assert [lag.seconds for lag in book.partition_lags() if lag.topic == TOPIC] == [0.0]


async def test_a_lag_that_is_not_known_yet_is_not_told_to_metrics(log):
    log.error = TimeoutError()
    book = Book(log, flow_of(Lane(0, 50)))
    await book.state()
    assert [(lag.records, lag.seconds) for lag in book.partition_lags() if lag.topic == TOPIC] == [(50, None)]
