"""Finds the keys of a range whose rows differ: hashes are compared, and only where they differ anybody looks closer.

A range costs two statements on each side when all is equal. Memory is bounded by :data:`PARTS` and :data:`LOOKED_AT`.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from reconcile.canonical import Hashing
from reconcile.comparison import Comparison
from reconcile.queries import SideStatements, side_statements, touched_statement
from sinks.pool import Pool

#: Rows of a range of which the hash is taken at once: where keys are random, each range reads most of the table's pages.
RANGE_ROWS: Final = 1_000_000
#: Into how many parts a range is cut when its hashes differ.
PARTS: Final = 256
#: Ranges of so many rows are looked at row by row.
LOOKED_AT: Final = 1_000


class Range(NamedTuple):
    """``low`` ≤ key < ``high``, as texts; ``None`` is no bound."""

    low: str | None = None
    high: str | None = None


EVERYTHING: Final = Range()


class Hashed(NamedTuple):
    """Rows of a range, and the sum of their hashes."""

    rows: int = 0
    total: str | None = None


#: Items and hashes of the rows of a key.
Rows = Counter[tuple[str, int]]


@dataclass(frozen=True)
class Side:
    """One side of a comparison. ``asked`` counts its statements by name."""

    pool: Pool
    statements: SideStatements
    asked: Counter[str] = field(default_factory=Counter)

    async def nth(self, bounds: Range, as_of: datetime, rows: int) -> str | None:
        """The key behind so many rows; none where there are not that many."""
        found = await self._rows("nth", bounds, as_of, rows=rows)
        return found[0][0] if found else None

    async def cuts(self, bounds: Range, as_of: datetime, rows: int) -> list[str]:
        """Every so many-th key, in order."""
        return [key for (key,) in await self._rows("cuts", bounds, as_of, rows=rows)]

    async def hashes(self, bounds: Range, as_of: datetime, cuts: list[str]) -> dict[int, Hashed]:
        """Part between cuts → what is in it."""
        return {part: Hashed(rows, total) for part, rows, total in await self._rows("hashes", bounds, as_of, cuts=cuts)}

    async def count(self, bounds: Range, as_of: datetime) -> int:
        """How many rows there are."""
        ((count,),) = await self._rows("count", bounds, as_of)
        return int(count)

    async def rows(self, bounds: Range, as_of: datetime) -> dict[str, Rows]:
        """Key → its rows."""
        found: dict[str, Rows] = defaultdict(Counter)
        for key, item, hashed in await self._rows("rows", bounds, as_of):
            found[key][item, hashed] += 1
        return found

    async def _rows(self, name: str, bounds: Range, as_of: datetime, **more: Any) -> list[tuple[Any, ...]]:
        self.asked[name] += 1
        statement: str = getattr(self.statements, name)
        async with self.pool.session() as session:
            return await session.rows(statement, {**bounds._asdict(), "as_of": as_of, **more})


@dataclass(frozen=True)
class Compared:
    """A range and what both sides have in it. ``untouched``: nobody has changed the source rows; only the number was compared."""

    bounds: Range
    expected: Hashed
    standing: Hashed
    untouched: bool = False

    @property
    def rows(self) -> int:
        """Of the side that has more."""
        return max(self.expected.rows, self.standing.rows)

    @property
    def equal(self) -> bool:
        """Whether both sides have the same rows."""
        return self.expected == self.standing


class Ranges:
    """Compares ranges of one flow."""

    def __init__(self, comparison: Comparison, hashing: Hashing, source: Pool, target: Pool) -> None:
        self._comparison = comparison
        self.expected = Side(source, side_statements(comparison, hashing, comparison.expected, comparison.source_keys))
        self.standing = Side(target, side_statements(comparison, hashing, comparison.standing))
        self._touched = touched_statement(comparison)

    @property
    def asked(self) -> int:
        """Statements so far, to both sides."""
        return self.expected.asked.total() + self.standing.asked.total()

    async def next(self, bounds: Range, as_of: datetime, rows: int = RANGE_ROWS, since: str | None = None) -> Compared:
        """The first part of a range, which neither side has more than so many rows of, give or take those of one key.

        ``since``: a transaction; where none from it on has written a row of the part, the numbers of rows are enough.
        """
        sides = (self.expected, self.standing)
        ends = await asyncio.gather(*[side.nth(bounds, as_of, rows) for side in sides])
        found = [end for end in ends if end is not None and end != bounds.low]
        part = Range(bounds.low, min(found, key=self._comparison.order, default=bounds.high))
        if since is not None and (counted := await self._counted(part, as_of, since)):
            return counted
        expected, standing = await asyncio.gather(*[side.hashes(part, as_of, []) for side in sides])
        return Compared(part, expected.get(0, Hashed()), standing.get(0, Hashed()))

    async def _counted(self, part: Range, as_of: datetime, since: str) -> Compared | None:
        """Nothing, where its content is to be compared."""
        expected, standing = await asyncio.gather(*[side.count(part, as_of) for side in (self.expected, self.standing)])
        if expected != standing:
            return None
        async with self.expected.pool.session() as session:
            row = await session.row(self._touched, {**part._asdict(), "since": since})
        self.expected.asked["touched"] += 1
        touched = row is None or row[0]
        return None if touched else Compared(part, Hashed(expected), Hashed(standing), untouched=True)

    async def differing(self, compared: Compared, as_of: datetime) -> AsyncIterator[list[str]]:
        """Keys whose rows differ, some at a time and in order."""
        if compared.equal:
            return
        parts = await self._parts(compared, as_of) if compared.rows > LOOKED_AT else [compared]
        for part in parts:
            if part.rows <= LOOKED_AT or part.rows == compared.rows:
                yield await self._looked_at(part.bounds, as_of)
            else:
                async for keys in self.differing(part, as_of):
                    yield keys

    async def _parts(self, compared: Compared, as_of: datetime) -> list[Compared]:
        """The parts of a range that are not equal."""
        longer = self.expected if compared.expected.rows >= compared.standing.rows else self.standing
        cuts = await longer.cuts(compared.bounds, as_of, -(-compared.rows // PARTS))
        sides = (self.expected, self.standing)
        expected, standing = await asyncio.gather(*[side.hashes(compared.bounds, as_of, cuts) for side in sides])
        edges = [compared.bounds.low, *cuts, compared.bounds.high]
        parts = [
            Compared(Range(edges[place], edges[place + 1]), expected.get(place, Hashed()), standing.get(place, Hashed()))
            for place in sorted(expected.keys() | standing.keys())
        ]
        return [part for part in parts if not part.equal]

    async def _looked_at(self, bounds: Range, as_of: datetime) -> list[str]:
        sides = (self.expected, self.standing)
        expected, standing = await asyncio.gather(*[side.rows(bounds, as_of) for side in sides])
        keys = [key for key in expected.keys() | standing.keys() if expected.get(key) != standing.get(key)]
        return sorted(keys, key=self._comparison.order)
