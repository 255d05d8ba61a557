"""What is to be done with each change of a chunk of facts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from streams.append_decoding import Fact, News

#: Changes with the offsets of their records, in order.
Numbered = list[tuple[int, Fact]]


@dataclass
class Sorted:
    """``ready`` to be added; to ``park``; ``unknown``: dead letters sent again whose reference is still missing."""

    ready: Numbered = field(default_factory=list)
    park: Numbered = field(default_factory=list)
    unknown: Numbered = field(default_factory=list)
    filtered: int = 0


def sort_facts(
    numbered: Iterable[tuple[int, Fact]],
    *,
    known: Collection[str],
    waiting: Iterable[str],
    replays: Collection[int],
    letters: Mapping[str, Iterable[tuple[int, int]]],
) -> Sorted:
    """Sort the changes of a chunk.

    ``known`` are the references that are there, ``waiting`` the row keys of which a record waits already, ``replays`` the offsets
    of dead letters sent again, ``letters`` the open ones (row key → offset, id).

    Facts do not depend on one another, so a letter that is sent again overtakes what waits. Of a change that is no fact nothing
    waits; but where a fact of its row was lost in a dead letter, it tells which state must have one.
    """
    done, behind = Sorted(), set(waiting)
    for offset, fact in numbered:
        stuck = fact.row_key in behind or fact.reference not in known
        if fact.news is News.GONE or (fact.news is News.NOTHING and (stuck or not mends(offset, fact, letters))):
            done.filtered += 1
        elif offset in replays:
            (done.ready if fact.reference in known else done.unknown).append((offset, fact))
        elif stuck:
            behind.add(fact.row_key)
            done.park.append((offset, fact))
        else:
            done.ready.append((offset, fact))
    return done


def mends(offset: int, fact: Fact, letters: Mapping[str, Iterable[tuple[int, int]]]) -> bool:
    """Whether the change, told in full, comes after a dead letter of its row."""
    return bool(fact.content) and any(at < offset for at, _ in letters.get(fact.row_key, ()))
