import asyncio

import pytest

from streams.source_pass import SourcePasses


class Source:
    """Pages that come as far as they are let through; ``None`` among them: the connection breaks."""

    def __init__(self, pages, through=10**9):
        self.pages = pages
        self.begun = self.read_pages = self.ended = 0
        self._through = asyncio.Semaphore(through)

    def let(self, count=1):
        for _ in range(count):
            self._through.release()

    async def read(self):
        self.begun += 1
        try:
            for page in self.pages:
                await self._through.acquire()
                if page is None:
                    raise OSError("broken")
                self.read_pages += 1
                yield page
        finally:
            self.ended += 1


def passes_over(source, gathering=0.01):
    return SourcePasses(source.read, gathering=gathering)


async def ride(passes, partition, seen):
    async with passes.seat(partition) as seat:
        async for part in seat:
            seen.append(part)
    return partition


async def fail_at_the_first_part(passes, partition):
    async with passes.seat(partition) as seat:
        async for _ in seat:
            raise ValueError("own")


def riders(passes, partitions):
    seen = {partition: [] for partition in partitions}
    return seen, {p: asyncio.create_task(ride(passes, p, seen[p])) for p in partitions}


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in any of several tasks
            await asyncio.sleep(0)


async def all_of(tasks):
    return await asyncio.wait_for(asyncio.gather(*tasks.values(), return_exceptions=True), 5)


async def test_partitions_that_wait_together_share_one_reading_and_each_is_given_its_own():
    source = Source([{0: "a", 1: "b"}, {1: "c", 7: "nobody's"}, {0: "d"}])
    seen, tasks = riders(passes_over(source), [0, 1, 2])
    assert await all_of(tasks) == [0, 1, 2]
    assert seen == {0: ["a", "d"], 1: ["b", "c"], 2: []}
    assert (source.begun, source.ended) == (1, 1)


async def test_who_comes_when_reading_has_begun_is_served_by_the_next_reading_alone():
    source = Source([{0: "a", 1: "b"}, {0: "c", 1: "d"}], through=1)
    passes = passes_over(source)
    first, early = riders(passes, [0])
    await until(lambda: source.begun == 1)
    second, late = riders(passes, [1])
    await until(lambda: first[0] == ["a"])
    assert (second[1], source.begun) == ([], 1)
    source.let(3)
    await all_of(early | late)
    assert (first[0], second[1]) == (["a", "c"], ["b", "d"])
    assert (source.begun, source.ended) == (2, 2)


async def test_only_one_reading_goes_on_at_a_time_and_those_who_wait_for_it_gather():
    source = Source([{0: "a"}], through=0)
    passes = passes_over(source, gathering=0)
    _, first = riders(passes, [0])
    await until(lambda: source.begun == 1)
    _, second = riders(passes, [0])
    for _ in range(9):
        await asyncio.sleep(0)  # a gathering that lasts no time is over by now
    _, third = riders(passes, [0])
    assert source.begun == 1
    source.let(2)
    await all_of(first)
    await all_of(second)
    await all_of(third)
    assert source.begun == 2


async def test_an_error_of_the_reading_reaches_everybody_who_waits_for_it():
    source = Source([{0: "a"}, None])
    _, tasks = riders(passes_over(source), [0, 1])
    errors = await all_of(tasks)
    assert [str(error) for error in errors] == ["broken", "broken"]
    assert source.ended == 1


async def test_after_an_error_the_next_reading_begins_anew():
    source = Source([{0: "a"}, None])
    passes = passes_over(source)
    await all_of(riders(passes, [0])[1])
    source.pages = [{0: "a"}]
    seen, tasks = riders(passes, [0])
    assert await all_of(tasks) == [0]
    assert seen[0] == ["a"]


async def test_who_is_cancelled_is_given_nothing_more_and_the_others_go_on():
    source = Source([{0: "a", 1: "b"}, {0: "c", 1: "d"}, {0: "e"}], through=1)
    seen, tasks = riders(passes_over(source), [0, 1])
    await until(lambda: seen == {0: ["a"], 1: ["b"]})
    tasks[0].cancel()
    source.let(2)
    cancelled, done = await all_of(tasks)
    assert (type(cancelled), done) == (asyncio.CancelledError, 1)
    assert seen == {0: ["a"], 1: ["b", "d"]}


async def test_who_leaves_with_a_part_untaken_holds_nobody_up():
    source = Source([{0: "a", 1: "b"}] * 5)
    passes = passes_over(source)
    seen = []
    async with passes.seat(0) as idle:
        other = asyncio.create_task(ride(passes, 1, seen))
        await until(lambda: source.read_pages == 2 and len(seen) == 1)
        assert idle.partition == 0
    await asyncio.wait_for(other, 5)
    assert seen == ["b"] * 5


async def test_the_reading_is_never_more_than_a_page_ahead_of_the_slowest():
    source = Source([{0: number} for number in range(9)])
    taken = []
    async with passes_over(source).seat(0) as seat:
        async for number in seat:
            taken.append(number)
            await asyncio.sleep(0.001)
            assert source.read_pages <= len(taken) + 2, "one with its holder, one in the seat, one that waits for the seat"
    assert taken == list(range(9))


async def test_a_reading_that_nobody_waits_for_any_more_is_cancelled():
    source = Source([{0: "a", 1: "b"}] * 2, through=1)
    seen, tasks = riders(passes_over(source), [0, 1])
    await until(lambda: seen == {0: ["a"], 1: ["b"]})
    for task in tasks.values():
        task.cancel()
    await all_of(tasks)
    await until(lambda: source.ended == 1)
    assert source.read_pages == 1


async def test_a_gathering_that_everybody_has_left_reads_nothing_and_the_next_is_a_new_one():
    source = Source([{0: "a"}])
    passes = passes_over(source)
    _, left = riders(passes, [0])
    await asyncio.sleep(0)
    left[0].cancel()
    await all_of(left)
    assert source.begun == 0
    seen, tasks = riders(passes, [0])
    await all_of(tasks)
    assert (seen[0], source.begun) == (["a"], 1)


async def test_an_error_of_one_holder_is_its_own():
    source = Source([{0: "a", 1: "b"}, {0: "c", 1: "d"}])
    passes = passes_over(source)
    seen = []
    other = asyncio.create_task(ride(passes, 1, seen))
    with pytest.raises(ValueError, match="own"):
        await fail_at_the_first_part(passes, 0)
    await asyncio.wait_for(other, 5)
    assert seen == ["b", "d"]
