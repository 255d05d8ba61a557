"""Looks at the world behind the process: made one after the other in the background, so that a scrape never waits for any."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from metrics.catalogue import COLLECTOR_AGE, COLLECTOR_UP, STALE_SECONDS
from metrics.samples import Samples

log = logging.getLogger(__name__)
T = TypeVar("T")

#: Makes samples of facts; the time in seconds since 1970.
Render = Callable[[T, float], Samples]


@dataclass(frozen=True)
class Subject(Generic[T]):
    """What is looked at. ``ask`` may fail, and may take long; ``interval`` in seconds from the end of a look to the next."""

    source: str
    ask: Callable[[], Awaitable[T]]
    render: Render[T]
    interval: float


class Look(Generic[T]):
    """Keeps the newest facts of a subject. They are told until they are :data:`STALE_SECONDS` old. ``clock``: since 1970."""

    def __init__(self, subject: Subject[T], clock: Callable[[], float] = time.time) -> None:
        self._subject = subject
        self._clock = clock
        self._facts: T | None = None
        self._at: float | None = None
        self._failed: str | None = None

    @property
    def source(self) -> str:
        """Who is looked at."""
        return self._subject.source

    @property
    def problem(self) -> str | None:
        """Why nothing new is known, or ``None``."""
        if self._failed is not None:
            return self._failed
        if self._at is None:
            return "no answer yet"
        return None if self._fresh(self._clock()) else f"no answer for {STALE_SECONDS:g} s"

    @property
    def facts(self) -> T | None:
        """The newest facts, or ``None`` when they are too old."""
        return self._facts if self._fresh(self._clock()) else None

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.once()
            await asyncio.sleep(self._subject.interval)

    async def once(self) -> None:
        """Look; a failure is kept and told, not raised: it must not end the worker."""
        try:
            self._facts = await self._subject.ask()
        except Exception as error:  # noqa: BLE001 whatever is wrong with a figure, the events go on
            self._note(type(error).__name__)
        else:
            self._at = self._clock()
            self._note(None)

    def samples(self) -> Samples:
        """What is known, without waiting."""
        now, facts = self._clock(), self.facts
        found = self._subject.render(facts, now) if facts is not None else Samples()
        found.set(COLLECTOR_UP, facts is not None and self._failed is None, self.source)
        if self._at is not None:
            found.set(COLLECTOR_AGE, max(now - self._at, 0.0), self.source)
        return found

    def _fresh(self, now: float) -> bool:
        return self._at is not None and now - self._at <= STALE_SECONDS

    def _note(self, problem: str | None) -> None:
        if problem is not None and self._failed is None:
            # Before the first answer nobody misses anything yet: all start at the same time.
            log.log(logging.INFO if self._at is None else logging.WARNING, "no metrics of %s: %s", self.source, problem)
        self._failed = problem
