"""Which rows of single keys differ, and how. Pure: what stands on both sides in, differences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconcile.comparison import Comparison

#: (key, item) → the hash of each column, null for null.
Rows = Mapping[tuple[str, str], tuple[int | None, ...]]

_NOTHING: Final[frozenset[str]] = frozenset()


class What(StrEnum):
    """How a row differs."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Difference:
    """A row that is not as it must be; ``columns`` are those that differ. No value of any row stands here, keys aside."""

    key: str
    item: str
    what: What
    columns: tuple[str, ...] = ()


def differences(
    comparison: Comparison, expected: Rows, standing: Rows, excused: Mapping[str, frozenset[str]]
) -> Iterator[Difference]:
    """What differs; ``excused``: key → columns that may."""
    for (key, item), hashes in expected.items():
        there = standing.get((key, item))
        if there is None:
            yield Difference(key, item, What.MISSING)
            continue
        columns = tuple(
            name
            for name, wanted, found in zip(comparison.columns, hashes, there, strict=True)
            if wanted != found
            and not (wanted is None and name in comparison.silent_nulls)
            and name not in excused.get(key, _NOTHING)
        )
        if columns:
            yield Difference(key, item, What.DIFFERENT, columns)
    if not comparison.keeps_history:
        yield from (Difference(key, item, What.EXTRA) for key, item in standing if (key, item) not in expected)
