"""A second look at keys whose rows differed, when what was in flight has landed.

1. the source's rows are read behind a fence, with the versions of the rows that they are made of;
2. the target is given time to reach the source;
3. the target's rows are read, then the versions in the source once more.

What is equal now was in flight. What differs although nothing changed in the source from 1 to 3 is different. What changed is
looked at again, a few times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from reconcile.canonical import PINNED, Hashing
from reconcile.comparison import Comparison
from reconcile.judging import Difference, Rows, differences
from reconcile.level import Level
from reconcile.listing import Listed, held
from reconcile.queries import of_keys, rows_of_statement
from sinks.pool import Pool, Session
from sinks.source_rows import fenced_read

#: How often keys that keep changing are looked at.
LOOKS: Final = 3


@dataclass
class Verdicts:
    """What became of the keys; the others are as they must be."""

    different: dict[str, list[Difference]] = field(default_factory=dict)
    listed: dict[str, Listed] = field(default_factory=dict)


#: Key → primary key and version of each source row behind it.
Members = Mapping[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True)
class _Seen:
    """What the source says of keys."""

    expected: Rows
    members: Members
    as_of: datetime


class Recheck:
    """Looks at keys of one flow."""

    def __init__(self, comparison: Comparison, hashing: Hashing, source: Pool, target: Pool, level: Level) -> None:
        self._comparison = comparison
        self._source, self._target, self._level = source, target, level
        self._expected = rows_of_statement(comparison, hashing, comparison.expected)
        self._standing = rows_of_statement(comparison, hashing, comparison.judged or comparison.standing)
        self._members = f"SELECT m.key::text, m.pk, m.version FROM ({comparison.members}) AS m WHERE {of_keys(comparison, 'm')}"

    async def verdicts(self, keys: Collection[str]) -> Verdicts:
        """Raises ``FenceTimeout`` and ``NotLevel`` where nothing can be said, and as pools do."""
        verdicts, doubtful = Verdicts(), set(keys)
        for _ in range(LOOKS):
            if doubtful:
                doubtful = await self._look(sorted(doubtful), verdicts)
        verdicts.listed |= dict.fromkeys(doubtful, Listed.MOVING)
        return verdicts

    async def _look(self, keys: list[str], verdicts: Verdicts) -> set[str]:
        """Returns the keys that changed meanwhile."""
        seen = await self._seen(keys)
        await self._level.reach()
        async with self._source.session() as source, self._target.session() as target:
            until = await clock(target)
            standing = _rows(await target.rows(PINNED + self._standing, {"keys": keys, "as_of": until}))
            edge = await self._at_the_edge(source, {"keys": keys, "as_of": seen.as_of, "until": until})
            excuses = self._comparison.excuses
            excused = await excuses.of(source, target, keys) if excuses else {}
            listed = await held(target, self._comparison.flow.name, _keys_of(keys, seen.members))
            members = await self._members_of(source, keys)
        found: dict[str, list[Difference]] = defaultdict(list)
        for difference in differences(self._comparison, seen.expected, standing, excused):
            found[difference.key].append(difference)
        listed |= dict.fromkeys(edge, Listed.EDGE)
        changed = {key for key in found if key not in listed and members.get(key) != seen.members.get(key)}
        verdicts.listed |= {key: why for key, why in listed.items() if key in found}
        verdicts.different |= {key: rows for key, rows in found.items() if key not in listed and key not in changed}
        return changed

    async def _seen(self, keys: list[str]) -> _Seen:
        async with self._target.session() as target:
            as_of = await clock(target)
        async with fenced_read(self._source, self._comparison.flow) as read:
            await read.session.run(PINNED)
            expected = _rows(await read.session.rows(self._expected, {"keys": keys, "as_of": as_of}))
            return _Seen(expected, await self._members_of(read.session, keys), as_of)

    async def _at_the_edge(self, source: Session, parameters: Mapping[str, Any]) -> list[str]:
        if self._comparison.edge is None:
            return []
        statement = f"SELECT e.key::text FROM ({self._comparison.edge}) AS e WHERE {of_keys(self._comparison, 'e')}"
        return [key for (key,) in await source.rows(statement, parameters)]

    async def _members_of(self, source: Session, keys: list[str]) -> Members:
        members: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for key, pk, version in await source.rows(self._members, {"keys": keys}):
            members[key].add((pk, version))
        return {key: frozenset(found) for key, found in members.items()}


async def clock(target: Session) -> datetime:
    """By which rows count or not, as for workers."""
    row = await target.row("SELECT clock_timestamp()")
    assert row is not None, "a SELECT without FROM answers one row"
    now: datetime = row[0]
    return now


def _rows(found: list[tuple[Any, ...]]) -> Rows:
    return {(key, item): tuple(hashes) for key, item, *hashes in found}


def _keys_of(keys: Collection[str], members: Members) -> Mapping[str, set[str]]:
    """By primary key; a key without a member may be one itself."""
    found: dict[str, set[str]] = defaultdict(set)
    for key in keys:
        for pk in {pk for pk, _ in members.get(key, ())} or {key}:
            found[pk].add(key)
    return found
