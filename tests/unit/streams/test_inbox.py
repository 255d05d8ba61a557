import asyncio
from types import SimpleNamespace

import pytest

from streams.inbox import Inbox


def batch(start, count, topic="t", size=10):
    return [SimpleNamespace(topic=topic, offset=start + n, value=b"x" * size, timestamp=start) for n in range(count)]


def opened(max_bytes=1000):
    inbox = Inbox(max_bytes)
    inbox.open()
    return inbox


async def test_batches_that_follow_each_other_are_merged():
    inbox = opened()
    await inbox.put(batch(0, 3))
    await inbox.put(batch(3, 2))
    assert [record.offset for record in await inbox.take(100, 1)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("second", "max_records", "max_bytes"),
    [(batch(3, 1, topic="u"), 9, 999), (batch(7, 1), 9, 999), (batch(3, 9), 9, 999), (batch(3, 1), 9, 35)],
    ids=["another topic", "a gap", "too many records", "too many bytes"],
)
async def test_batches_stay_apart(second, max_records, max_bytes):
    inbox = opened(max_bytes)
    await inbox.put(batch(0, 3))
    await inbox.put(second)
    assert len(await inbox.take(max_records, 1)) == 3


async def test_a_full_inbox_makes_the_agent_wait_until_there_is_room():
    inbox = opened(max_bytes=20)
    for start in range(2):
        await inbox.put(batch(start, 1))
    waiting = asyncio.ensure_future(inbox.put(batch(2, 1)))
    await asyncio.sleep(0)
    assert not waiting.done()
    await inbox.take(1, 1)
    await asyncio.wait_for(waiting, 1)


async def test_closing_frees_a_waiting_agent_and_discards():
    inbox = opened(max_bytes=40)
    for start in range(2):
        await inbox.put(batch(start, 2))
    waiting = asyncio.ensure_future(inbox.put(batch(9, 2)))
    await asyncio.sleep(0)
    inbox.close()
    await asyncio.wait_for(waiting, 1)
    assert inbox.discarded == 6
    assert await inbox.take(1, 0.01) == []


async def test_a_closed_inbox_never_makes_an_agent_wait():
    inbox = Inbox(1000)
    for start in range(50):
        await inbox.put(batch(start, 1))
    assert inbox.discarded == 50


async def test_waking_ends_a_wait_without_records():
    inbox = opened()
    waiting = asyncio.ensure_future(inbox.take(1, 60))
    await asyncio.sleep(0)
    inbox.wake()
    assert await asyncio.wait_for(waiting, 1) == []
