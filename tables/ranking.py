"""The ranking of one group: pure, on entries as bytes. It runs for every touched group of every chunk."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from tables.entry import COUNTS, EXPIRES_AT, IDENTITY, ITEM_LENGTH, LIVE, NAMES, NAMES_LENGTH, PLACE, SCORE, TIME

_SCORE_AND_TIME = slice(0, 12)
_number = int.from_bytes


def best(entries: Iterable[tuple[bytes, bytes]], size: int, now: int) -> list[bytes]:
    """The winning entries in order of rank, at most ``size``, of (key, entry) pairs; ``now`` in microseconds.

    Newest per item and subject, counting or not; best per item of those that count and have not expired; then the best.
    """
    newest: dict[bytes, tuple[bytes, bytes]] = {}
    for key, entry in entries:
        if entry[0] & LIVE:
            place = entry[PLACE : NAMES + _number(entry[NAMES_LENGTH], "big")]
            age = entry[TIME] + key[IDENTITY]
            standing = newest.get(place)
            if standing is None or age > standing[0]:
                newest[place] = (age, entry)
    moment = now.to_bytes(8, "big")
    leaders: dict[bytes, tuple[bytes, bytes]] = {}
    for age, entry in newest.values():
        if entry[0] & COUNTS and entry[EXPIRES_AT] >= moment:
            quality = entry[SCORE] + age
            item = entry[NAMES : NAMES + _number(entry[ITEM_LENGTH], "big")]
            leader = leaders.get(item)
            if leader is None or quality > leader[0]:
                leaders[item] = (quality, entry)
    ranked = [leader for _, leader in sorted(leaders.items(), key=itemgetter(0))]
    ranked.sort(key=_score_and_time, reverse=True)  # Stable: equals stay in order of item.
    return [entry for _, entry in ranked[:size]]


def _score_and_time(leader: tuple[bytes, bytes]) -> bytes:
    return leader[0][_SCORE_AND_TIME]
