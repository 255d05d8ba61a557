import asyncio

import httpx

from alerts.notifier import Notifier
from alerts.registry import ALERTS
from settings import Notifier as NotifierSettings


async def test_a_database_that_is_away_ends_neither_the_notifier_nor_the_worker():
    asked = 0
    again = asyncio.Event()

    async def away(query):
        nonlocal asked
        asked += 1
        if asked == 3:
            again.set()
        raise ConnectionError("the database is away")

    async with httpx.AsyncClient() as client:
        running = asyncio.create_task(Notifier(NotifierSettings(interval=0.001), ALERTS, "a", away, [], client).run())
        await asyncio.wait_for(again.wait(), 10)
        assert not running.done()
        running.cancel()
