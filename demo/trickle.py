"""The trickle: one change after the other, drawn from a seed, as the platform would make them."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from demo.changes import ChangeKind
from demo.recipes import Change, Recipe, Situation
from demo.sources import EVALUATIONS, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from enum import StrEnum

    from demo.databases import Connection
    from demo.population import Population

__all__ = ["ChangeKind", "Trickle", "make"]


def _now() -> datetime:
    return datetime.now(UTC)


class Trickle:
    """An endless series of changes to ``sources``, tables of one database, each as often as its ``per_day`` says.

    ``only`` keeps to some kinds of change, among them those that never come by themselves. Equal arguments, clock and
    tables give an equal series. Rows to change are chosen by the database from a drawn place, so nothing is remembered
    here and several trickles, or a restarted one, can work on the same table.
    """

    def __init__(
        self,
        population: Population,
        seed: int,
        clock: Callable[[], datetime] = _now,
        sources: Collection[Source] = (EVALUATIONS,),
        only: Collection[StrEnum] = (),
    ) -> None:
        if len({source.database for source in sources}) != 1:
            raise ValueError("a trickle works on tables of one database; make one for each")
        self._rng = Random(f"trickle/{seed}")  # noqa: S311 repeatable on purpose
        self._population = population
        self._clock = clock
        self._recipes = {kind: recipe for source in sources for kind, recipe in source.recipes.items()}
        shares = _shares(sources, only)
        self.kinds = tuple(shares)
        self._cumulative = tuple(accumulate(shares.values()))

    def next_change(self) -> Change:
        """Draw the next change without making it."""
        kind = self._rng.choices(self.kinds, cum_weights=self._cumulative)[0]
        situation = Situation(self._rng, self._population, self._clock())
        return Change(kind, self._recipes[kind].draw(situation))

    def step(self, conn: Connection) -> StrEnum:
        """Make the next change: committed on an autocommit connection, else part of the caller's transaction."""
        change = self.next_change()
        with conn.transaction() if len(change.steps) > 1 else nullcontext():
            make(conn, change)
        return change.kind

    def burst(self, conn: Connection, changes: int) -> Counter[StrEnum]:
        """Make ``changes`` changes in one transaction, pipelined: thousands per second."""
        done: Counter[StrEnum] = Counter()
        with conn.transaction(), conn.pipeline():
            for _ in range(changes):
                change = self.next_change()
                make(conn, change)
                done[change.kind] += 1
        return done


def make(conn: Connection, change: Change) -> None:
    """Run the statements of a change, which belong into one transaction: that is the caller's."""
    for statement, parameters in change.steps:
        conn.execute(statement, parameters)


def _shares(sources: Collection[Source], only: Collection[StrEnum]) -> dict[StrEnum, float]:
    """Return how often each kind comes, in changes per day."""
    shares: dict[StrEnum, float] = {}
    for source in sources:
        weights = {kind: _weight(recipe, asked=kind in only) for kind, recipe in source.recipes.items()}
        chosen = {kind: weight for kind, weight in weights.items() if weight and (not only or kind in only)}
        total = sum(chosen.values())
        shares |= {kind: source.per_day * weight / total for kind, weight in chosen.items()}
    if unknown := [kind for kind in only if kind not in shares]:
        raise ValueError(f"no source has changes of the kind {', '.join(map(repr, unknown))}")
    return shares


def _weight(recipe: Recipe, *, asked: bool) -> int:
    return max(recipe.weight, 1) if asked else recipe.weight
