"""Keys of which nobody may say that they differ: a record of theirs is a dead letter, waits, or time is about to decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from sinks.pool import Session

#: An open letter is stronger than a record that waits behind it.
_HELD: Final = """
    SELECT row_key, 'quarantined' FROM sync.dead_letter
    WHERE flow = %(flow)s AND status IN ('open', 'replayed') AND row_key = ANY(%(pks)s)
    UNION ALL
    SELECT row_key, 'waiting' FROM sync.parked WHERE flow = %(flow)s AND state = 'waiting' AND row_key = ANY(%(pks)s)
    ORDER BY 2 DESC
    """


class Listed(StrEnum):
    """Why a key is listed and not counted as different."""

    QUARANTINED = "quarantined"
    """A record of it is an open dead letter: the last good version stands."""
    WAITING = "waiting"
    """A record of it waits for a row that it refers to."""
    EDGE = "edge"
    """A row is about to stop to count, or has just stopped."""
    MOVING = "moving"
    """It changed in the source whenever we looked."""


async def held(target: Session, flow: str, keys_of: Mapping[str, Collection[str]]) -> dict[str, Listed]:
    """Keys that are quarantined or waiting; ``keys_of``: primary key of the source row → keys that it bears on."""
    found = await target.rows(_HELD, {"flow": flow, "pks": list(keys_of)})
    return {key: Listed(why) for pk, why in found for key in keys_of[pk]}
