"""Who owns which partition. The ledger says who claimed it last; it is owned while that worker lives and says so too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from flows.model import Flow
from views.facts import Facts
from views.members import Member
from views.model import Holding, Owner


class Key(NamedTuple):
    """A partition that a flow reads."""

    flow: str
    topic: str
    partition: int


class Place(NamedTuple):
    """Where a partition is. ``owner`` is ``None`` when nobody reads it."""

    key: Key
    owner: str | None
    last_owner: str | None


def places(flows: Iterable[Flow], facts: Facts, group: Sequence[Member]) -> tuple[Place, ...]:
    """Find the owner of every partition of every flow; nothing is found before the other workers are known."""
    if facts.workers.value is None:
        return ()
    readers = _readers(group)
    claims = {Key(row.flow, row.topic, row.partition): row.owner for row in facts.ledger.value or ()}
    return tuple(_place(key, readers[key], claims.get(key)) for key in _keys(flows))


def _keys(flows: Iterable[Flow]) -> Iterator[Key]:
    for flow in flows:
        for topic in flow.topics:
            yield from (Key(flow.name, topic, partition) for partition in range(flow.partitions))


def _readers(group: Iterable[Member]) -> defaultdict[Key, list[str]]:
    readers: defaultdict[Key, list[str]] = defaultdict(list)
    for member in group:
        for row in member.report.partitions if member.alive else ():
            readers[Key(row.flow, row.topic, row.partition)].append(member.name)
    return readers


def _place(key: Key, readers: Sequence[str], claimed_by: str | None) -> Place:
    if claimed_by is None:
        return Place(key, readers[0] if readers else None, None)
    return Place(key, claimed_by if claimed_by in readers else None, claimed_by)


def owners(found: Collection[Place], group: Iterable[Member]) -> tuple[Owner, ...]:
    """Group the partitions by owner: what nobody owns first, then every living worker, also one that owns nothing."""
    if not found:
        return ()
    by_owner: defaultdict[str | None, list[Place]] = defaultdict(list)
    for place in found:
        by_owner[place.owner].append(place)
    names = [member.name for member in group if member.alive]
    nobody = [Owner(None, _holdings(by_owner[None]))] if None in by_owner else []
    return (*nobody, *(Owner(name, _holdings(by_owner[name])) for name in names))


def _holdings(found: Iterable[Place]) -> tuple[Holding, ...]:
    held: defaultdict[tuple[str, str, str | None], list[int]] = defaultdict(list)
    for place in found:
        previous = place.last_owner if place.owner is None else None
        held[place.key.flow, place.key.topic, previous].append(place.key.partition)
    return tuple(Holding(flow, topic, tuple(partitions), previous) for (flow, topic, previous), partitions in held.items())
