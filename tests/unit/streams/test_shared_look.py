from contextlib import asynccontextmanager

import pytest

from streams.shared_look import SharedLook


class Database:
    """Tells which partitions have something to do, and remembers of which it was asked."""

    def __init__(self):
        self.due, self.questions, self.now = set(), [], 100.0

    @asynccontextmanager
    async def session(self):
        yield self

    async def look(self, _, partitions):
        self.questions.append(set(partitions))
        return self.due & set(partitions)


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def shared(database):
    return SharedLook(database, database.look, fresh=0.5, clock=lambda: database.now)


async def test_lanes_that_ask_within_one_turn_share_an_answer(database, shared):
    for partition in (1, 2):
        await shared.finds(partition)
    database.now, database.due = 101.0, {2}
    assert [await shared.finds(1), await shared.finds(2)] == [False, True]
    assert database.questions == [{1}, {1, 2}, {1, 2}]


async def test_what_was_seen_is_believed_for_a_moment_only(database, shared):
    assert not await shared.finds(1)
    database.due = {1}
    database.now = 100.4
    assert not await shared.finds(1)
    database.now = 100.5
    assert await shared.finds(1)


async def test_a_partition_that_nobody_asked_for_is_looked_for_at_once(database, shared):
    await shared.finds(1)
    database.due = {7}
    assert await shared.finds(7)


async def test_partitions_that_may_have_gone_are_not_looked_for_any_more(database, shared):
    await shared.finds(1)
    shared.begin_anew()
    await shared.finds(2)
    assert database.questions[-1] == {2}
