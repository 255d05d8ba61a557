"""Families and their members. Nothing is stored: everything follows from the seed and a rank."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from demo.catalogue import Scheme, schemes
from demo.identifiers import identifier

if TYPE_CHECKING:
    from random import Random
    from uuid import UUID

HOUSEHOLD_SIZES = (1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 6, 6, 8)
SCHEMES_PER_FAMILY = 30

# Zipf-Mandelbrot with exponent 1. The offset grows with the number of families, so that the skew looks the same at
# every size: the first family gets 38 times the mean, the median family a third of it.
_FAMILIES_PER_OFFSET = 200


@dataclass(frozen=True, slots=True)
class Family:
    """A household and the part of the catalogue that is evaluated for it."""

    family_id: UUID
    member_ids: tuple[UUID, ...]
    first_scheme: int

    def draw_scheme(self, rng: Random) -> Scheme:
        """One of the family's schemes, the first ones far more often: evaluations of one scheme repeat."""
        catalogue = schemes()
        step = int(SCHEMES_PER_FAMILY * rng.random() ** 2)
        return catalogue[(self.first_scheme + step) % len(catalogue)]


@dataclass(frozen=True, slots=True)
class Population:
    """``families`` households drawn from ``seed``; equal arguments give equal people."""

    seed: int
    families: int

    def __post_init__(self) -> None:
        if self.families < 1:
            raise ValueError(f"families is {self.families}; a population needs at least one")

    def family(self, rank: int) -> Family:
        """Return the family of a rank, 0 the busiest; raise :class:`IndexError` outside 0..families - 1."""
        if not 0 <= rank < self.families:
            raise IndexError(f"family rank {rank} is outside 0..{self.families - 1}")
        return _family(self.seed, rank)

    def draw_family(self, rng: Random) -> Family:
        """Draw a family by its share of the evaluations."""
        return _family(self.seed, self.draw_rank(rng))

    def draw_rank(self, rng: Random) -> int:
        """Draw the rank of a family (inverse of the skewed distribution, no table needed)."""
        offset = self.families / _FAMILIES_PER_OFFSET
        rank = int(offset * ((_FAMILIES_PER_OFFSET + 1) ** rng.random() - 1))
        return min(rank, self.families - 1)


@lru_cache(maxsize=16_384)
def _family(seed: int, rank: int) -> Family:
    traits = blake2b(f"traits/{seed}/{rank}".encode(), digest_size=3).digest()
    size = HOUSEHOLD_SIZES[traits[0] % len(HOUSEHOLD_SIZES)]
    return Family(
        family_id=identifier("family", seed, rank),
        member_ids=tuple(identifier("member", seed, rank, number) for number in range(size)),
        first_scheme=int.from_bytes(traits[1:]) % len(schemes()),
    )
