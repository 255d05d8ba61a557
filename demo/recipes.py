"""What a change is: its kind, how often it comes, and the statements that make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from random import Random
from typing import TypeAlias

from demo.population import Population
from demo.statements import Step


@dataclass(frozen=True, slots=True)
class Situation:
    """What a change may depend on: the draw, the people and the time."""

    rng: Random
    population: Population
    now: datetime


Draw: TypeAlias = Callable[[Situation], tuple[Step, ...]]
Values: TypeAlias = Callable[[Situation], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """``draw`` makes the statements of one change, which belong into one transaction.

    ``weight`` is how often the kind comes, in parts of the sum of all weights of the table; 0: only when asked for.
    """

    weight: int
    draw: Draw


Recipes: TypeAlias = Mapping[StrEnum, Recipe]


@dataclass(frozen=True, slots=True)
class Change:
    """A drawn change. On an empty table only inserts do anything."""

    kind: StrEnum
    steps: tuple[Step, ...]
