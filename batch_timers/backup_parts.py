"""How a run goes through a source: spans of pages, and which of these need not be read because both databases hash them the same.

A span is cut, and hashed, by one statement of each database. Where no page of a span was alike the next ones are read unasked,
twice as many each time: a run that finds everything changed does not hash it all for nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from batch_timers.event_path import Hashed, Likeness
from sinks.pool import Pool
from sinks.source_rows import Chosen, FencedRead, KeyRange

#: What is hashed as one: where a row differs, so many are read for it.
PAGE_ROWS: Final = 1000
#: Pages of the first span, and of the longest: each has twice as many as the one before, so that writing begins soon.
FIRST_PAGES: Final = 8
SPAN_PAGES: Final = 64
#: So many pages that follow one another and may differ are written by one transaction; some tenths of a second.
WRITTEN_PAGES: Final = 10
#: So many spans at most are read unasked.
LONGEST_SILENCE: Final = 8


class Part(NamedTuple):
    """A range of so many pages. ``alike``: rows that are the same on both sides, ``None``: they may differ."""

    bounds: KeyRange
    alike: int | None
    pages: int = 1

    def joined(self, following: Part) -> Part | None:
        """One part of both, where that can be."""
        bounds, pages = KeyRange(self.bounds.low, following.bounds.high), self.pages + following.pages
        if self.alike is not None and following.alike is not None:
            return Part(bounds, self.alike + following.alike, pages)
        if self.alike is following.alike and pages <= WRITTEN_PAGES:
            return Part(bounds, None, pages)
        return None


@dataclass
class Silence:
    """How many spans are still to be read unasked, and how many in a row have not had a page that was alike."""

    left: int = 0
    in_a_row: int = 0

    def over(self) -> bool:
        """Whether it is worth asking about the next span."""
        self.left -= 1
        return self.left < 0

    def heard(self, parts: Sequence[Part]) -> None:
        """What was asked."""
        self.in_a_row = self.in_a_row + 1 if all(part.alike is None for part in parts) else 0
        self.left = min(2**self.in_a_row // 2, LONGEST_SILENCE)


@dataclass
class Sides:
    """Where a run reads, and how it is known that it need not; ``None``: it has to."""

    read: FencedRead
    target: Pool
    likeness: Likeness | None
    _pages: int = field(default_factory=lambda: min(FIRST_PAGES, SPAN_PAGES))
    _silence: Silence = field(default_factory=Silence)

    async def span(self, rest: Chosen) -> tuple[list[Part], bool]:
        """The parts of the next span of what is left, neighbours joined where they can be; and whether it is the last."""
        pages, self._pages = self._pages, min(self._pages * 2, SPAN_PAGES)
        cuts = await self.read.edges(rest, PAGE_ROWS, pages)
        last = len(cuts) < pages
        bounds = KeyRange(rest.bounds.low, rest.bounds.high if last else cuts.pop())
        return list(joined(await self._parts(bounds, cuts))), last

    async def _parts(self, bounds: KeyRange, cuts: Sequence[str]) -> list[Part]:
        edges = [KeyRange(*pair) for pair in pairwise([bounds.low, *cuts, bounds.high])]
        if self.likeness is None or not self._silence.over():
            return [Part(part, None) for part in edges]
        async with self.target.session() as session:
            source, target = await asyncio.gather(
                self.likeness.of_source(self.read.session, bounds, cuts), self.likeness.of_target(session, bounds, cuts)
            )
        parts = compared(edges, source, target)
        self._silence.heard(parts)
        return parts


def compared(edges: Sequence[KeyRange], source: Mapping[int, Hashed], target: Mapping[int, Hashed]) -> list[Part]:
    """Parts by what both sides hash to."""
    ours = [source.get(number, Hashed()) for number in range(len(edges))]
    theirs = [target.get(number, Hashed()) for number in range(len(edges))]
    return [Part(part, one.rows if one == other else None) for part, one, other in zip(edges, ours, theirs, strict=True)]


def joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Fewer parts of the same: all neighbours that are alike, and some that are not."""
    waiting: Part | None = None
    for part in parts:
        both = waiting.joined(part) if waiting else part
        if waiting and both is None:
            yield waiting
        waiting = both or part
    if waiting:
        yield waiting
