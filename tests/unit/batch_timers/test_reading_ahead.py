"""One chunk is read ahead, and nothing is left open."""

import asyncio

import pytest

from batch_timers.reading_ahead import one_ahead


class Source:
    """Numbers, each of which says when it was read."""

    def __init__(self, count, failing=None):
        self.read, self.closed = [], False
        self._count, self._failing = count, failing
        self.blocked = asyncio.Event()

    async def chunks(self):
        try:
            for number in range(self._count):
                if number == self._failing:
                    raise OSError("the source is away")
                self.read.append(number)
                yield number
            await self.blocked.wait()
        finally:
            self.closed = True


async def others_run():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_while_a_chunk_is_written_the_next_is_read_and_no_more():
    source = Source(4)
    ahead = one_ahead(source.chunks())
    assert await anext(ahead) == 0
    await others_run()
    assert source.read == [0, 1]
    assert await anext(ahead) == 1
    await others_run()
    assert source.read == [0, 1, 2]
    await ahead.aclose()
    assert source.closed


async def test_a_reader_that_is_closed_early_does_not_wait_for_a_reading_that_takes_for_ever():
    source = Source(1)
    ahead = one_ahead(source.chunks())
    assert await anext(ahead) == 0
    await others_run()
    async with asyncio.timeout(5):
        await ahead.aclose()
    assert source.closed


async def test_an_error_of_the_reading_comes_after_the_chunks_before_it():
    source = Source(4, failing=2)
    ahead = one_ahead(source.chunks())
    assert [await anext(ahead), await anext(ahead)] == [0, 1]
    with pytest.raises(OSError, match="away"):
        await anext(ahead)
    assert source.closed
