import asyncio
from types import SimpleNamespace

import pytest

from streams import inbox as inbox_module
from streams.chunk import Chunk
from streams.inbox import Budget, Inbox


def batch(start, count, topic="t", size=10):
    return [
        SimpleNamespace(topic=topic, partition=0, offset=start + n, key=b"", value=b"x" * size, timestamp=start)
        for n in range(count)
    ]


def decode(records):
    chunk = Chunk.of(records)
    chunk.size = sum(len(record.value) for record in records)
    return [chunk]


def opened(max_records=100, max_bytes=1000, budget=None):
    inbox = Inbox(decode, max_records, max_bytes, budget or Budget(10_000))
    inbox.open()
    return inbox


def offsets(chunk):
    return list(range(chunk.first_offset, chunk.next_offset))


def nothing_behind(_):
    return 0


async def test_batches_that_follow_each_other_are_merged():
    inbox = opened()
    await inbox.put(batch(0, 3))
    await inbox.put(batch(3, 2))
    assert await inbox.ready(1, nothing_behind)
    assert offsets(inbox.take()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("second", "max_records", "max_bytes"),
    [(batch(3, 1, topic="u"), 9, 999), (batch(7, 1), 9, 999), (batch(3, 9), 9, 999), (batch(3, 1), 9, 35)],
    ids=["another topic", "a gap", "too many records", "too many bytes"],
)
async def test_batches_stay_apart(second, max_records, max_bytes):
    inbox = opened(max_records, max_bytes)
    await inbox.put(batch(0, 3))
    await inbox.put(second)
    assert offsets(inbox.take()) == [0, 1, 2]


async def test_a_truncate_is_merged_with_nothing():
    inbox = opened()
    await inbox.put(batch(0, 1))
    inbox.first().truncate = bytes(12)
    await inbox.put(batch(1, 1))
    assert offsets(inbox.take()) == [0]
    assert offsets(inbox.take()) == [1]


async def test_a_full_inbox_makes_the_agent_wait_until_there_is_room():
    inbox = opened(max_bytes=20)
    for start in range(2):
        await inbox.put(batch(start, 1))
    waiting = asyncio.ensure_future(inbox.put(batch(2, 1)))
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.take()
    await asyncio.wait_for(waiting, 1)


async def test_closing_frees_a_waiting_agent_and_discards():
    inbox = opened(max_bytes=40)
    for start in range(2):
        await inbox.put(batch(2 * start, 2))
    waiting = asyncio.ensure_future(inbox.put(batch(9, 2)))
    await asyncio.sleep(0)
    inbox.close()
    await asyncio.wait_for(waiting, 1)
    assert inbox.discarded == 6
    assert inbox.take() is None


async def test_a_closed_inbox_never_makes_an_agent_wait_and_decodes_nothing():
    inbox = Inbox(lambda _: pytest.fail("decoded"), 10, 1000, Budget(1000))
    for start in range(50):
        await inbox.put(batch(start, 1))
    assert inbox.discarded == 50


async def test_waking_ends_a_wait_without_records():
    inbox = opened()
    waiting = asyncio.ensure_future(inbox.ready(60, nothing_behind))
    await asyncio.sleep(0)
    inbox.wake()
    assert not await asyncio.wait_for(waiting, 1)


async def test_records_that_the_log_is_known_to_hold_are_waited_for_and_not_for_ever(monkeypatch):
    monkeypatch.setattr(inbox_module, "LINGER_SECONDS", 0.01)
    inbox = opened()
    await inbox.put(batch(0, 1))
    asked = []
    assert await inbox.ready(1, lambda chunk: asked.append(len(chunk)) or 5)
    assert asked == [1]


async def test_a_chunk_that_is_half_full_waits_for_no_more():
    inbox = opened(max_bytes=100)
    await inbox.put(batch(0, 5))
    assert await asyncio.wait_for(inbox.ready(1, lambda _: 1000), 1)


async def test_lanes_together_hold_no_more_than_the_budget_but_each_may_hold_something():
    budget = Budget(50)
    full, other = opened(budget=budget), opened(budget=budget)
    await full.put(batch(0, 5))
    await other.put(batch(0, 1))
    waiting = asyncio.ensure_future(other.put(batch(1, 1)))
    await asyncio.sleep(0)
    assert not waiting.done()
    full.take()
    await asyncio.wait_for(waiting, 1)
    assert offsets(other.take()) == [0, 1]


async def test_a_used_up_budget_sends_a_lane_to_work_with_what_it_has():
    budget = Budget(50)
    small, other = opened(budget=budget), opened(budget=budget)
    await small.put(batch(0, 1))
    ready = asyncio.ensure_future(small.ready(1, lambda _: 1000))
    await asyncio.sleep(0)
    assert not ready.done()
    await other.put(batch(0, 5))
    assert await asyncio.wait_for(ready, 1)


async def test_what_a_closed_lane_held_is_free_for_the_others():
    budget = Budget(50)
    closed = opened(budget=budget)
    await closed.put(batch(0, 5))
    closed.close()
    assert not budget.is_full
