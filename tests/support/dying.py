"""Work that is cut off at any of its awaits, as by the death of its process."""

import asyncio
from collections.abc import Awaitable
from typing import Any

PAUSE_SECONDS = 0.001


async def die_after(turns: int, work: Awaitable[Any], pause: float = PAUSE_SECONDS) -> bool:
    """Let the work have so many turns of the loop, with a pause in each; returns whether that was enough for it to end."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(pause)
        if task.done():
            return True
    task.cancel()
    await asyncio.wait([task])
    return False
