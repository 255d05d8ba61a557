"""The reconciliation of one flow in steps, each of which leaves a cursor: it can end anywhere and go on elsewhere."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from flows.model import CapturedFlow
from reconcile.integrity import Integrity
from reconcile.judging import Difference, What
from reconcile.kinds import comparison_of
from reconcile.level import Level
from reconcile.progress import FOUND, LEFT, REPAIRED, Progress
from reconcile.ranges import EVERYTHING, RANGE_ROWS, Range, Ranges
from reconcile.recheck import Recheck, clock
from reconcile.repair import Repair
from reconcile.surroundings import Surroundings

#: Keys that are looked at a second time together.
KEYS_AT_A_TIME: Final = 1_000
STAYS: Final = "a fact stays as it was written"


@dataclass(frozen=True)
class Request:
    """What is to be done. ``bounds``: the keys to compare. ``patience``: seconds to wait for what is in flight.

    ``light``: see :mod:`reconcile.light`.
    """

    repairs: bool
    bounds: Range = EVERYTHING
    patience: float = 60.0
    rows_at_a_time: int = RANGE_ROWS
    light: bool = False


class Reconciliation:
    """Compares one flow and repairs it.

    Raises ``NotLevel`` and ``FenceTimeout`` where nothing can be said, as pools do, and aiokafka's ``KafkaError``; whoever
    catches them goes on with the progress before.
    """

    def __init__(self, flow: CapturedFlow, around: Surroundings, request: Request, since: str | None = None) -> None:
        self._comparison = comparison = comparison_of(flow, around.hashing)
        source, target = around.source, around.target
        level = Level(comparison, source, target, around.broker, request.patience)
        self._target, self._request, self._since = target, request, since
        self.ranges = Ranges(comparison, around.hashing, source, target)
        self._recheck = Recheck(comparison, around.hashing, source, target, level)
        self._repair = Repair(comparison, around, self._recheck, level)
        self._integrity = Integrity(flow, target, level)

    async def step(self, before: Progress) -> Progress:
        """Compare the next range; behind the last one, check the whole target. Returns the new progress."""
        began, done = time.monotonic(), _copy(before)
        asked = self.ranges.asked
        async with self._target.session() as session:
            as_of = await clock(session)
        wanted = self._request.bounds
        rest = Range(done.cursor or wanted.low, wanted.high)
        compared = await self.ranges.next(rest, as_of, self._request.rows_at_a_time, self._since)
        async for keys in _gathered(self.ranges.differing(compared, as_of)):
            await self._look(keys, done)
        done.expected, done.standing = done.expected + compared.expected.rows, done.standing + compared.standing.rows
        done.untouched += compared.expected.rows if compared.untouched else 0
        done.statements += self.ranges.asked - asked
        done.cursor, done.finished = compared.bounds.high, compared.bounds.high == wanted.high
        if done.finished:
            done.violations = await self._integrity.violations(self._repair if self._request.repairs else None)
        done.seconds += time.monotonic() - began
        return done

    async def _look(self, keys: Sequence[str], done: Progress) -> None:
        verdicts = await self._recheck.verdicts(keys)
        done.listed(verdicts.listed)
        done.found(verdicts.different)
        if not self._request.repairs:
            done.settled(_rows(verdicts.different), FOUND, {})
            return
        final, repairable = self._split(verdicts.different)
        done.settled(final, LEFT, dict.fromkeys([row.key for row in final], STAYS))
        if repairable:
            await self._make_good(repairable, done)

    def _split(self, different: Mapping[str, Sequence[Difference]]) -> tuple[list[Difference], dict[str, list[Difference]]]:
        """Rows that stay as they were written whatever we do, and the others by key."""
        final = [row for row in _rows(different) if self._comparison.keeps_history and row.what is What.DIFFERENT]
        others = {key: [row for row in rows if row not in final] for key, rows in different.items()}
        return final, {key: rows for key, rows in others.items() if rows}

    async def _make_good(self, different: Mapping[str, Sequence[Difference]], done: Progress) -> None:
        outcome = await self._repair.repair(different)
        left = outcome.left.different.keys() | outcome.left.listed.keys()
        reasons = outcome.bad | {key: str(why) for key, why in outcome.left.listed.items()}
        done.settled([row for row in _rows(different) if row.key in left], LEFT, reasons)
        done.settled([row for row in _rows(different) if row.key not in left], REPAIRED, {})


def _copy(progress: Progress) -> Progress:
    return msgspec.json.decode(msgspec.json.encode(progress), type=Progress)


def _rows(different: Mapping[str, Sequence[Difference]]) -> list[Difference]:
    return [row for rows in different.values() for row in rows]


async def _gathered(pages: AsyncIterator[list[str]]) -> AsyncIterator[list[str]]:
    """As few and as large as :data:`KEYS_AT_A_TIME` allows."""
    waiting: list[str] = []
    async for page in pages:
        waiting += page
        while len(waiting) >= KEYS_AT_A_TIME:
            yield waiting[:KEYS_AT_A_TIME]
            waiting = waiting[KEYS_AT_A_TIME:]
    if waiting:
        yield waiting
