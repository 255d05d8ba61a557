"""Dead letters of append flows. Each stands for a fact of its own, so that they are closed one by one.

A letter whose reference is missing waits for that, and no later event of its row makes it void.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

from sinks.json_text import json_text
from sinks.pool import Session

#: Row key → (offset, id) of its letters.
Letters = dict[str, list[tuple[int, int]]]


async def unsettled(session: Session, flow: str, topic: str, partition: int, row_keys: Iterable[str], *, sparing: str) -> Letters:
    """The open letters of rows of one topic; ``sparing`` is a reason whose letters are left out."""
    parameters = {"flow": flow, "topic": topic, "partition": partition, "sparing": sparing}
    rows = await session.rows(_UNSETTLED, {**parameters, "row_keys": json_text(sorted(row_keys))})
    found: Letters = defaultdict(list)
    for row_key, offset, identity in rows:
        found[row_key].append((offset, identity))
    return found


async def close(session: Session, flow: str, ids: Collection[int], reason: str) -> None:
    """Close letters; those that are settled stay as they are."""
    if ids:
        await session.run(_CLOSE, {"flow": flow, "ids": sorted(ids), "reason": reason})


_UNSETTLED: Final = """
    SELECT row_key, "offset", id FROM sync.dead_letter
    WHERE flow = %(flow)s AND topic = %(topic)s AND partition = %(partition)s AND status IN ('open', 'replayed')
      AND reason <> %(sparing)s AND row_key IN (SELECT json_array_elements_text(%(row_keys)s::json))
"""

_CLOSE: Final = """
    UPDATE sync.dead_letter SET status = 'closed', closed_at = now(), closed_by = 'worker', close_reason = %(reason)s
    WHERE flow = %(flow)s AND id = ANY(%(ids)s) AND status IN ('open', 'replayed')
"""
