"""Asks several at the same time; who does not answer leaves a part of the page empty, and the page says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from flows.tables import Database
from views.answers import PATIENCE
from views.model import Silence
from views.protocols import Unanswered

T = TypeVar("T")


class Gathering:
    """Collects the silences of one look. Its questions are asked together, so that a look never waits longer than one of them."""

    def __init__(self) -> None:
        self._silences: list[Silence] = []

    async def ask(self, part: str, answer: Awaitable[T], otherwise: T) -> T:
        """The answer; ``otherwise`` when there is none within :data:`views.answers.PATIENCE`."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await answer
        except Unanswered as error:
            self._silences.append(Silence(part, str(error), None))
        except TimeoutError:
            self._silences.append(Silence(part, f"no answer within {PATIENCE:g} s", None))
        return otherwise

    async def of_each(
        self, part: str, ask: Callable[[Database], Awaitable[T]], databases: Collection[Database] = tuple(Database)
    ) -> dict[Database, T]:
        """The same question to several databases; those that do not answer are missing."""
        found: dict[Database, T] = {}

        async def one(database: Database) -> None:
            found[database] = await ask(database)

        await asyncio.gather(*(self.ask(f"{part} of the {each.value} database", one(each), None) for each in databases))
        return {database: found[database] for database in databases if database in found}

    @property
    def silences(self) -> tuple[Silence, ...]:
        """What was not answered, in the order of the parts' names."""
        return tuple(sorted(self._silences, key=lambda each: each.part))
