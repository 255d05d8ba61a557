"""Asking others for figures without ever waiting long, and keeping what was known when they fall silent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from views.protocols import Clock, Unanswered

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

PATIENCE: Final = 2.0  # seconds; the page asks every second and gives up after four


@dataclass(frozen=True)
class Answer(Generic[T_co]):
    """The newest ``value`` and when it was given; both ``None`` before the first answer.

    ``problem`` says why there is no newer one.
    """

    value: T_co | None = None
    at: datetime | None = None
    problem: str | None = None


class Question(Generic[T]):
    """Something that is asked again and again."""

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock, patience: float = PATIENCE) -> None:
        self._ask = ask
        self._clock = clock
        self._patience = patience
        self._last: Answer[T] = Answer()

    async def answer(self) -> Answer[T]:
        """Ask; after an outage or :data:`PATIENCE` the last answer stands, with the problem."""
        try:
            async with asyncio.timeout(self._patience):
                value = await self._ask()
        except TimeoutError:
            problem = f"no answer within {self._patience:g} s"
        except Unanswered as error:
            problem = str(error)
        else:
            self._last = Answer(value, self._clock())
            return self._last
        return Answer(self._last.value, self._last.at, problem)
