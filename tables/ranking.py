"""The ranking of one group: pure, on candidates that stand in memory."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from typing import Any

from tables.candidate import Candidate


def best(candidates: Iterable[tuple[int, Candidate]], size: int, now: int) -> list[Candidate]:
    """The winners in order of rank, at most ``size``; pairs are (primary key, candidate), ``now`` in microseconds.

    Newest per item and subject, counting or not; best per item of those that count and have not expired; then the best.
    """
    newest: dict[tuple[str, str], tuple[int, int, Candidate]] = {}
    for identity, candidate in candidates:
        if candidate.live:
            place = (candidate.item, candidate.subject)
            standing = newest.get(place)
            if standing is None or (candidate.time, identity) > standing[:2]:
                newest[place] = (candidate.time, identity, candidate)
    winners: dict[str, tuple[Any, int, int, Candidate]] = {}
    for time, identity, candidate in newest.values():
        if candidate.counts and candidate.expires_at >= now:
            contender = (candidate.score, time, identity, candidate)
            leader = winners.get(candidate.item)
            if leader is None or contender[:3] > leader[:3]:
                winners[candidate.item] = contender
    top = nsmallest(size, winners.values(), key=lambda winner: (-winner[0], -winner[1], winner[3].item))
    return [winner[3] for winner in top]
