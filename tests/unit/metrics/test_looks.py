"""Looks at the world: never waited for, and left out when they are old."""

import asyncio

from metrics.catalogue import COLLECTOR_AGE, COLLECTOR_UP, MAINTENANCE, STALE_SECONDS
from metrics.looks import Look, Subject
from metrics.samples import Samples


class World:
    """Something that is looked at, at a time that a test sets."""

    def __init__(self):
        self.now, self.answer, self.asked = 1000.0, 1.0, 0
        self.asked_thrice = asyncio.Event()
        self.look = Look(Subject("citizen", self.ask, self.render, 0.0), lambda: self.now)

    async def ask(self):
        self.asked += 1
        if self.asked == 3:
            self.asked_thrice.set()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def render(self, facts, now):
        samples = Samples()
        samples.set(MAINTENANCE, facts)
        return samples

    def told(self):
        return {metric: next(iter(values.values())) for metric, values in self.look.samples().values.items()}


async def test_before_the_first_answer_nothing_is_told_but_that():
    world = World()
    assert world.told() == {COLLECTOR_UP: 0}
    assert world.look.problem == "no answer yet"


async def test_facts_are_told_with_their_age():
    world = World()
    await world.look.once()
    world.now += 3
    assert world.told() == {MAINTENANCE: 1, COLLECTOR_UP: 1, COLLECTOR_AGE: 3}
    assert world.look.problem is None


async def test_after_a_failure_the_last_facts_stand_until_they_are_too_old():
    world = World()
    await world.look.once()
    world.answer = OSError("away, and here is a password")
    await world.look.once()
    assert world.look.problem == "OSError", "what the error says may be anything"
    assert world.told() == {MAINTENANCE: 1, COLLECTOR_UP: 0, COLLECTOR_AGE: 0}
    world.now += STALE_SECONDS + 1
    assert world.told() == {COLLECTOR_UP: 0, COLLECTOR_AGE: STALE_SECONDS + 1}
    world.answer = 0.0
    await world.look.once()
    assert world.told() == {MAINTENANCE: 0, COLLECTOR_UP: 1, COLLECTOR_AGE: 0}


async def test_a_look_that_hangs_is_seen_by_the_age_of_the_last_answer():
    world = World()
    await world.look.once()
    world.now += STALE_SECONDS + 1
    assert world.told()[COLLECTOR_UP] == 0
    assert world.look.problem == "no answer for 15 s"


async def test_it_is_looked_again_and_again():
    world = World()
    task = asyncio.create_task(world.look.run())
    await asyncio.wait_for(world.asked_thrice.wait(), 5)
    task.cancel()
