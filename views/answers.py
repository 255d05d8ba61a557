"""Asking others for figures without ever waiting long, and keeping what was known when they fall silent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
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
    """Something that is asked again and again, but never twice at the same time.

    Whoever takes longer than the patience of a reader is left to finish: cancelling would cost a connection, and asking
    again meanwhile would pile up questions just when a database is slow.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock, patience: float = PATIENCE) -> None:
        self._ask = ask
        self._clock = clock
        self._patience = patience
        self._last: Answer[T] = Answer()
        self._asking: asyncio.Task[str | None] | None = None

    async def answer(self) -> Answer[T]:
        """Ask, or wait on for who was asked; after an outage or :data:`PATIENCE` the last answer stands, with the problem."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._remember())
        await asyncio.wait({self._asking}, timeout=self._patience)
        late = f"no answer within {self._patience:g} s"
        return replace(self._last, problem=self._asking.result() if self._asking.done() else late)

    async def _remember(self) -> str | None:
        try:
            self._last = Answer(await self._ask(), self._clock())
        except Unanswered as error:
            return str(error)
        return None
