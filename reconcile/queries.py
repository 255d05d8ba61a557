"""Statements over one side of a comparison: cut ranges, hash them, and look at single rows.

A range is half open, ``low`` ≤ key < ``high``; null is no bound. Keys are bound as texts and compared as what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconcile.canonical import PINNED, Hashing
from reconcile.comparison import Comparison

#: For the length of a transaction. PostgreSQL expects as many parts as rows, and would sort these on disk to group them.
PARTED: Final = "SET LOCAL enable_sort = off;"


@dataclass(frozen=True)
class SideStatements:
    """What is asked of one side.

    ``nth``: the key behind so many ``rows`` of a range. ``cuts``: every so many-th key. ``hashes``: of the parts between
    ``cuts``, 0 the first, rows and sum of hashes. ``rows``: key, item and hash of each row. ``count``: how many there are.
    """

    nth: str
    cuts: str
    hashes: str
    rows: str
    count: str


def side_statements(comparison: Comparison, hashing: Hashing, side: str, keys: str | None = None) -> SideStatements:
    """The statements over ``side``, one of the comparison's SELECTs; ``keys``: what gives its keys for less."""
    key, kind, inside = f"r.key{comparison.collated}", comparison.key_name, _inside(comparison, "r")
    ranged = f"FROM ({side}) AS r WHERE {inside}"
    row = hashing.of_row([f"r.key::{kind}{comparison.collated}", "r.item", *(f"r.{name}" for name in comparison.columns)])
    part = f"width_bucket({key}, %(cuts)s::{kind}[])"
    numbered = f"SELECT {key} AS key, row_number() OVER (ORDER BY {key}) AS place {ranged}"
    return SideStatements(
        nth=f"{PINNED} SELECT r.key::text FROM ({keys or side}) AS r WHERE {inside} ORDER BY {key} OFFSET %(rows)s LIMIT 1",
        cuts=f"{PINNED} SELECT n.key::text FROM ({numbered}) AS n WHERE n.place %% %(rows)s = 0 GROUP BY n.key ORDER BY n.key",
        hashes=f"{PINNED} {PARTED} SELECT {part}, count(*), sum({row})::text {ranged} GROUP BY 1",
        rows=f"{PINNED} SELECT r.key::text, r.item, {row} {ranged}",
        count=f"{PINNED} SELECT count(*) {ranged}",
    )


def touched_statement(comparison: Comparison) -> str:
    """Whether a source row behind a key of a range was written since ``since``, a transaction, or in it."""
    return f"""{PINNED} SELECT EXISTS (SELECT FROM ({comparison.members}) AS m
                                       WHERE {_inside(comparison, "m")} AND m.age <= age(%(since)s::text::xid))"""


def _inside(comparison: Comparison, relation: str) -> str:
    """The condition that a row is in a range."""
    key, kind = f"{relation}.key{comparison.collated}", comparison.key_name
    low, high = f"%(low)s::{kind}", f"%(high)s::{kind}"
    return f"({low} IS NULL OR {key} >= {low}) AND ({high} IS NULL OR {key} < {high})"


def rows_of_statement(comparison: Comparison, hashing: Hashing, side: str) -> str:
    """Key, item and the hash of each column, of the rows of ``keys``, in a transaction with :data:`PINNED` settings."""
    singles = ", ".join(hashing.of_value(f"r.{name}") for name in comparison.columns)
    return f"SELECT r.key::text, r.item, {singles} FROM ({side}) AS r WHERE {of_keys(comparison)}"


def of_keys(comparison: Comparison, relation: str = "r") -> str:
    """The condition that a row is of one of ``keys``, a list of texts."""
    return f"{relation}.key = ANY(%(keys)s::{comparison.key_name}[])"
