"""The trickle: one change after the other, drawn from a seed, as the platform would make them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING

from demo.changes import RECIPES, Change, ChangeKind, Situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.databases import Connection
    from demo.population import Population

__all__ = ["ChangeKind", "Trickle"]

_KINDS = tuple(RECIPES)
_CUMULATIVE = tuple(accumulate(recipe.weight for recipe in RECIPES.values()))


def _now() -> datetime:
    return datetime.now(UTC)


class Trickle:
    """An endless series of changes. Equal seed, population and clock give an equal series.

    Rows to change are chosen by the database from a drawn place, so nothing is remembered here and several trickles,
    or a restarted one, can work on the same table.
    """

    def __init__(self, population: Population, seed: int, clock: Callable[[], datetime] = _now) -> None:
        self._rng = Random(f"trickle/{seed}")  # noqa: S311 repeatable on purpose
        self._population = population
        self._clock = clock

    def next_change(self) -> Change:
        """Draw the next change without making it."""
        kind = self._rng.choices(_KINDS, cum_weights=_CUMULATIVE)[0]
        recipe = RECIPES[kind]
        situation = Situation(self._rng, self._population, self._clock())
        return Change(kind, recipe.statement, recipe.parameters(situation))

    def step(self, conn: Connection) -> ChangeKind:
        """Make the next change: committed on an autocommit connection, else part of the caller's transaction."""
        change = self.next_change()
        conn.execute(change.statement, change.parameters)
        return change.kind

    def burst(self, conn: Connection, changes: int) -> Counter[ChangeKind]:
        """Make ``changes`` changes in one transaction, pipelined: thousands per second."""
        with conn.transaction(), conn.pipeline():
            return Counter(self.step(conn) for _ in range(changes))
