"""What `status` calls a problem beside flows and workers: jobs, connectors and replication slots, for the overview."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flows.tables import Database
from views.answers import Question
from views.levels import Level
from views.model import Attention, Silence
from views.protocols import Clock
from views.records import Records
from views.source_problems import slot_problem

#: Seconds. The overview looks every second; Kafka Connect and the job ledgers need not.
FRESH: Final = 5.0


@dataclass(frozen=True)
class Troubles:
    """Points, and parts that did not answer."""

    points: tuple[Attention, ...] = ()
    silences: tuple[Silence, ...] = ()


class TroubleWatch:
    """Asks the records; :meth:`known` never fails and never waits long."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        parts = {"jobs": self._jobs, "connectors": self._connectors, "replication slots": self._slots}
        self._parts = {part: Question(ask, clock) for part, ask in parts.items()}
        self._asking = asyncio.Lock()
        self._last: tuple[datetime, Troubles] | None = None

    async def known(self) -> Troubles:
        """The troubles of a few seconds ago at most; who comes while others wait gets the same."""
        async with self._asking:
            if self._last is None or abs((self._clock() - self._last[0]).total_seconds()) >= FRESH:
                self._last = (self._clock(), await self._ask())
            return self._last[1]

    async def _ask(self) -> Troubles:
        answers = await asyncio.gather(*(question.answer() for question in self._parts.values()))
        points = tuple(point for answer in answers for point in answer.value or ())
        silences = tuple(
            Silence(part, answer.problem, answer.at) for part, answer in zip(self._parts, answers, strict=True) if answer.problem
        )
        return Troubles(points, silences)

    async def _jobs(self) -> Sequence[Attention]:
        return [Attention(Level.WARNING, text, "/jobs") for text in await self._records.job_problems()]

    async def _connectors(self) -> Sequence[Attention]:
        found = await self._records.connectors()
        return [Attention(Level.CRITICAL, text, "/connectors") for each in found for text in each.problems]

    async def _slots(self) -> Sequence[Attention]:
        kept = [(database, slot) for database in Database for slot in await self._records.slots(database)]
        return [problem for each in kept if (problem := slot_problem(*each))]
