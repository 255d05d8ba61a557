"""Whoever takes partitions over, and whoever opens them, raises an alarm for what cannot come by events any more."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from faust.types import TP

from app.kinds import Surroundings, parts_of
from cli.pools import open_pools
from flows.golden_records import GOLDEN_RECORDS as FLOW
from settings import Worker
from sinks.payload_cipher import PayloadCipher
from streams.captured_source import CapturedSource
from streams.coordinator import Coordinator
from streams.inbox import Budget
from streams.lane import LaneServices, LaneState
from streams.outage import Circuit
from streams.share_breaker import ShareBreaker
from streams.unit_of_work import UnitOfWork

ALARMS = "SELECT flow, kind, found_by, detail FROM sync.upstream_loss WHERE resolved_at IS NULL"
STATE = "SELECT state, reason FROM sync.flow_state WHERE flow = %s"
OURS = frozenset(TP(topic, 0) for topic in FLOW.topics)


class Log:
    """The offsets that every topic holds, and of what time its records are."""

    def __init__(self, held=range(5, 5), timestamp=1):
        self.held, self.timestamp = held, timestamp

    async def start_offsets(self, partitions):
        return dict.fromkeys(partitions, self.held.start)

    async def end_offsets(self, partitions):
        return dict.fromkeys(partitions, self.held.stop)

    async def records_at(self, wanted):
        return {place: SimpleNamespace(offset=offset, timestamp=self.timestamp, key=b"k") for place, offset in wanted.items()}


class Consumer:
    """Notes where reading begins."""

    def __init__(self):
        self.opened = {}

    async def open_at(self, tp, offset):
        self.opened[tp.topic] = offset

    def close_partitions(self, tps):
        """Nothing is fetched."""

    def highwater(self, tp):
        return None

    async def hint(self, offsets):
        """Nothing is fetched."""


@pytest.fixture
async def pools(migrated):
    async with open_pools(migrated) as pools:
        yield pools


@pytest.fixture
def take_over(migrated, pools):
    """A worker's life with partition 0 of the flow; what it dies of is raised."""
    consumer = Consumer()
    source, target = pools[FLOW.source.table.database], pools[FLOW.target.table.database]

    async def crash(error):
        raise error

    @asynccontextmanager
    async def live(log):
        cipher, breaker = PayloadCipher(migrated.payload_keys), ShareBreaker(10_000, 0.9)
        worker = Worker(name="worker-1")
        applier, upkeep = parts_of(FLOW, Surroundings(None, worker, pools, cipher, log, breaker))
        work = UnitOfWork(FLOW, applier, target, cipher, breaker)
        services = LaneServices(
            flow=FLOW,
            settings=worker,
            work=work,
            apply=work.apply,
            upkeep=upkeep,
            source=CapturedSource(FLOW.source.table.database, source),
            target=target,
            circuit=Circuit(target),
            log_reader=log,
            slots=asyncio.Semaphore(1),
            budget=Budget(2**20),
            crash=crash,
            generation=lambda: 1,
        )
        coordinator = Coordinator(services, lambda: consumer)
        await coordinator.assigned(OURS)
        coordinator.recovered()
        try:
            yield coordinator
        finally:
            await coordinator.release()

    live.consumer = consumer
    return live


async def becomes(coordinator, state):
    async with asyncio.timeout(30):
        while not coordinator.open or coordinator.lanes[0].state is not state:  # noqa: ASYNC110 it sets no event
            await asyncio.sleep(0.01)
    assert list(coordinator.lanes) == [0]


@pytest.fixture
async def known(citizen, take_over):
    """The citizen database after a life in which the flow has read up to offset 5."""
    async with take_over(Log(range(5, 5))) as coordinator:
        await becomes(coordinator, LaneState.OPEN)
    assert citizen.execute(ALARMS).fetchall() == []
    return citizen


def only_alarm(database):
    """Kind and detail of the only alarm, which is this flow's."""
    ((flow, kind, found_by, detail),) = database.execute(ALARMS).fetchall()
    assert (flow, found_by) == (FLOW.name, "worker-1")
    return kind, detail


async def test_a_log_that_goes_on_is_no_loss(known, take_over):
    async with take_over(Log(range(2, 9))) as coordinator:
        await becomes(coordinator, LaneState.OPEN)
    assert known.execute(ALARMS).fetchall() == []
    assert take_over.consumer.opened == dict.fromkeys(FLOW.topics, 5)


async def test_a_log_that_ends_before_the_ledger_was_made_anew_and_the_flow_stops(known, take_over):
    async with take_over(Log(range(3))) as coordinator:
        await becomes(coordinator, LaneState.STOPPED)
    kind, detail = only_alarm(known)
    assert kind == "topic"
    assert "the log ends at 3, the ledger stands at 5" in detail
    assert known.execute(STATE, (FLOW.name,)).fetchone() == ("stopped", detail)


async def test_a_log_with_another_last_record_was_made_anew_and_the_flow_stops_before_anything_is_read(known, take_over):
    known.execute("UPDATE sync.ledger SET last_timestamp = 1, last_key_hash = 1")
    take_over.consumer.opened.clear()
    async with take_over(Log(range(9), timestamp=2)) as coordinator:
        await becomes(coordinator, LaneState.STOPPED)
    kind, detail = only_alarm(known)
    assert kind == "topic"
    assert "the record at 4 is not the one that was applied" in detail
    assert known.execute(STATE, (FLOW.name,)).fetchone() == ("stopped", detail)
    assert take_over.consumer.opened == {}


async def test_records_that_the_log_dropped_unread_are_a_loss_and_the_partition_is_rebuilt(known, take_over):
    async with take_over(Log(range(8, 20))) as coordinator:
        await becomes(coordinator, LaneState.OPEN)
    kind, detail = only_alarm(known)
    assert kind == "records"
    assert "offsets 5 to 7 are gone from the log" in detail
    assert take_over.consumer.opened == dict.fromkeys(FLOW.topics, 8)
    assert known.execute("SELECT DISTINCT next_offset, skipped FROM sync.ledger").fetchall() == [(8, 3)]
    assert known.execute(STATE, (FLOW.name,)).fetchone() in (None, ("running", None))


async def test_another_source_is_a_loss_and_the_flow_stops(known, take_over):
    known.execute("UPDATE sync.source SET system_identifier = system_identifier + 1")
    async with take_over(Log(range(5, 5))) as coordinator:
        await becomes(coordinator, LaneState.STOPPED)
    kind, detail = only_alarm(known)
    assert kind == "source"
    assert detail.startswith("source-replaced: warehouse was system ")
    assert known.execute(STATE, (FLOW.name,)).fetchone() == ("stopped", detail)


async def test_who_looks_again_raises_no_second_alarm(known, take_over):
    for _ in range(2):
        async with take_over(Log(range(3))) as coordinator:
            await becomes(coordinator, LaneState.STOPPED)
        known.execute("UPDATE sync.flow_state SET state = 'running', reason = NULL")
    assert only_alarm(known)[0] == "topic"
