"""The reconciliation of a callback flow: no source remembers its rows, but the topic does, as long as it keeps them.

What the ledger says was applied is in the target, so nothing is in flight below it, and nothing is to be waited for.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from flows.callback_model import CallbackFlow
from reconcile.integrity import Integrity
from reconcile.judging import Difference, What
from reconcile.listing import Listed, held
from reconcile.progress import FOUND, LEFT, REPAIRED, Progress
from reconcile.rebuild import Rebuild
from reconcile.run import Request
from reconcile.surroundings import Surroundings
from sinks import callback_rows
from sinks.pool import Session

#: Most bodies are a kilobyte; see :mod:`streams.topic_rebuild`.
RECORDS: Final = 1000
_APPLIED: Final = "SELECT next_offset FROM sync.ledger WHERE flow = %s AND topic = %s AND partition = %s"


class Place(msgspec.Struct, frozen=True):
    """A cursor: the first record that was not looked at."""

    partition: int = 0
    offset: int = 0


class TopicReconciliation:
    """Compares one callback flow with its topic, partition by partition, and repairs it.

    Keys are not in the order of the log, so a run over a range of keys reads all of it and looks at these keys alone. In light
    mode rows and versions are counted; the log is only read where the numbers differ.
    """

    def __init__(self, flow: CallbackFlow, around: Surroundings, request: Request) -> None:
        assert around.retained is not None, "whoever reconciles callback flows reads their topics"
        self._flow, self._target, self._request, self._retained = flow, around.target, request, around.retained
        self._rebuild = Rebuild(flow, around.target, around.begin)
        self._integrity = Integrity(flow, around.target, NothingInFlight())
        self._comparing, self._counting = callback_rows.comparing_statement(flow), callback_rows.counting_statement(flow)

    async def step(self, before: Progress) -> Progress:
        """Compare the next records; behind the last partition, check the whole target. Returns the new progress."""
        began, done = time.monotonic(), msgspec.convert(msgspec.to_builtins(before), Progress)
        place = msgspec.json.decode(done.cursor, type=Place) if done.cursor else Place()
        if self._request.light and not done.cursor and await self._counts_agree(done):
            place = Place(self._flow.partitions)
        if place.partition < self._flow.partitions:
            place = await self._compare(place, done)
        done.cursor = msgspec.json.encode(place).decode()
        done.finished = place.partition >= self._flow.partitions
        if done.finished:
            done.violations = await self._integrity.violations(None)
        done.seconds += time.monotonic() - began
        return done

    async def _counts_agree(self, done: Progress) -> bool:
        async with self._target.session() as session:
            row = await session.row(self._counting, {"flow": self._flow.name})
        assert row is not None, "an aggregate answers one row"
        if row[0] == row[1]:
            done.expected, done.standing, done.untouched = row[0], row[1], row[1]
        return bool(row[0] == row[1])

    async def _compare(self, place: Place, done: Progress) -> Place:
        applied = await self._applied(place.partition)
        page = await self._retained.page(self._flow, place.partition, place.offset, min(place.offset + RECORDS, applied))
        rows = self._in_bounds(page.rows)
        found = await self._differing(rows)
        done.expected, done.standing = done.expected + len(rows), done.standing + len(rows) - _missing(found)
        if found:
            await self._look(rows, found, done)
        return Place(place.partition, page.end) if page.end < applied else Place(place.partition + 1)

    async def _applied(self, partition: int) -> int:
        async with self._target.session() as session:
            row = await session.row(_APPLIED, (self._flow.name, self._flow.topic, partition))
        return int(row[0]) if row else 0

    def _in_bounds(self, rows: Sequence[bytes]) -> list[bytes]:
        low, high = self._request.bounds
        keys = [msgspec.json.decode(row, type=_Keyed).k for row in rows]
        inside = [(low is None or key >= low) and (high is None or key < high) for key in keys]
        return [row for row, is_in in zip(rows, inside, strict=True) if is_in]

    async def _differing(self, rows: Sequence[bytes]) -> list[Difference]:
        async with self._target.session() as session:
            return await self._found(session, rows) if rows else []

    async def _found(self, session: Session, rows: Sequence[bytes]) -> list[Difference]:
        document = (b"[%b]" % b",".join(rows)).decode()
        found = await session.rows(self._comparing, {"flow": self._flow.name, "rows": document})
        return [Difference(key, "", What(what), tuple(columns or ())) for key, what, columns in found]

    async def _look(self, rows: Sequence[bytes], found: Sequence[Difference], done: Progress) -> None:
        listed = await self._held([each.key for each in found])
        done.listed(listed)
        different = [each for each in found if each.key not in listed]
        done.found({each.key: [each] for each in different})
        if not self._request.repairs:
            done.settled(different, FOUND, {})
        elif different:
            await self._rebuild.once()
            left = {each.key for each in await self._differing(rows)}
            done.settled([each for each in different if each.key in left], LEFT, {})
            done.settled([each for each in different if each.key not in left], REPAIRED, {})

    async def _held(self, keys: Collection[str]) -> dict[str, Listed]:
        async with self._target.session() as session:
            return await held(session, self._flow.name, {key: [key] for key in keys})


class NothingInFlight:
    """See :class:`~reconcile.integrity.InFlight`: rows are good or bad as they stand."""

    async def reach(self) -> None:
        """Nothing to wait for."""


class _Keyed(msgspec.Struct):
    k: str


def _missing(found: Sequence[Difference]) -> int:
    return sum(each.what is What.MISSING for each in found)
