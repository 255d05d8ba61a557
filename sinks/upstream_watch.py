"""Looks at a source for what the events of its flows cannot tell: a replication slot that is gone, a log that went back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from settings import PROGRAM
from sinks import flow_state, upstream_loss
from sinks.pool import Pool
from sinks.upstream_loss import Loss

_KNOWN: Final = "SELECT coalesce(seen_lsn, 0), slot_seen FROM sync.source WHERE name = %s"
# The flushed position, which a crash of the source does not take back.
_SOURCE: Final = """
    SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint,
           coalesce((SELECT coalesce(wal_status, 'unknown') FROM pg_replication_slots WHERE slot_name = %s), 'gone')
    """
_SEEN: Final = """
    UPDATE sync.source SET seen_lsn = greatest(seen_lsn, %(lsn)s), slot_seen = slot_seen OR %(there)s
    WHERE name = %(source)s AND (coalesce(seen_lsn, -1) < %(lsn)s OR slot_seen < %(there)s)
    """
_GONE: Final = ("gone", "lost")


@dataclass(frozen=True)
class Watched:
    """A source, its replication slot, and the flows that carry its changes to one target."""

    source: str
    slot: str
    flows: tuple[str, ...]


async def look(watched: Watched, source: Pool, target: Pool, worker: str) -> dict[Loss, str]:
    """Raise alarms for what is lost now; returns what it is. Raises as pools do.

    What is known is read before the source is asked: what another worker learns meanwhile is no news of yesterday.
    """
    async with target.session() as session:
        known = await session.row(_KNOWN, (watched.source,))
    if known is None:
        return {}  # No worker has seen the source yet.
    async with source.session() as session:
        found = await session.row(_SOURCE, (watched.slot,))
    assert found is not None, "a SELECT without FROM answers one row"
    lost = losses(watched, known, found)
    await _note(watched, target, worker, lost, found)
    return lost


def losses(watched: Watched, known: tuple[int, bool], found: tuple[int, str]) -> dict[Loss, str]:
    """Pure. ``known``: the furthest position and whether the slot was there; ``found``: position and state of the slot."""
    (seen, slot_seen), (lsn, slot) = known, found
    lost = {}
    if lsn < seen:
        lost[Loss.SOURCE] = (
            f"source-replaced: the log of {watched.source} stands at {lsn} and was at {seen} before: it was restored;"
            f" check, then `{PROGRAM} source-epoch {watched.source} --set-new`"
        )
    if slot == "lost" or (slot == "gone" and slot_seen):
        lost[Loss.SLOT] = (
            f"replication slot {watched.slot} of {watched.source} is {slot}: changes that it had not delivered do not come;"
            f" `{PROGRAM} connect reset {watched.slot}`"
        )
    return lost


async def _note(watched: Watched, target: Pool, worker: str, lost: dict[Loss, str], found: tuple[int, str]) -> None:
    lsn, slot = found
    async with target.session() as session:
        for kind, detail in lost.items():
            await upstream_loss.note(session, watched.flows, kind, detail, worker)
        if Loss.SOURCE in lost:  # Its changes would look older than what stands.
            for flow in watched.flows:
                await flow_state.stop(session, flow, lost[Loss.SOURCE], worker)
        await upstream_loss.settle_rebuilt(session)
        await session.run(_SEEN, {"source": watched.source, "lsn": lsn, "there": slot not in _GONE})
