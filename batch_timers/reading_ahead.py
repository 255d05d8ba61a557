"""Reads a job's next chunk while its last one is written: source and target are different machines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from batch_timers.interface import Chunk


async def one_ahead(chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """The same chunks. At most one waits, so memory is bounded; for jobs whose reading does not depend on what they write."""
    reading = _next_of(chunks)
    try:
        while (chunk := await reading) is not None:
            reading = _next_of(chunks)
            yield chunk
    finally:
        reading.cancel()
        # Whatever becomes of it now, nobody waits for it any more.
        with suppress(asyncio.CancelledError, Exception):
            await reading
        await chunks.aclose()


def _next_of(chunks: AsyncGenerator[Chunk, None]) -> asyncio.Task[Chunk | None]:
    return asyncio.create_task(_next(chunks))


async def _next(chunks: AsyncGenerator[Chunk, None]) -> Chunk | None:
    return await anext(chunks, None)
