"""Where a partition starts, decided from the ledger, the candidates and the log. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sinks.ledger import Claim
from streams.batches import Record
from streams.chunk import key_hash


@dataclass(frozen=True)
class Start:
    """Read from ``offset`` on."""

    offset: int


@dataclass(frozen=True)
class Rebuild:
    """Derived state needs records that are gone: rebuild the partition from the source, then read from ``offset`` on.

    ``lost``: nobody has read them.
    """

    offset: int
    reason: str
    lost: bool = False


@dataclass(frozen=True)
class Refuse:
    """The log is not the one that the ledger knows; an operator has to decide."""

    reason: str


def decide(claim: Claim, next_offset: int, reflected: int | None, log: range) -> Start | Rebuild | Refuse:
    """``reflected`` is the candidates' position, ``None`` when they know none; ``log`` are the offsets that the log holds."""
    where = f"{claim.topic}[{claim.partition}]"
    if next_offset > log.stop:
        return Refuse(f"{where}: the log ends at {log.stop}, the ledger stands at {next_offset}: the topic was made anew")
    if next_offset < log.start:
        return Rebuild(log.start, f"{where}: offsets {next_offset} to {log.start - 1} are gone from the log", lost=True)
    if reflected is None and next_offset > 0:
        return Rebuild(next_offset, f"{where}: no candidates are known, the ledger stands at {next_offset}")
    start = min(next_offset, reflected or 0)
    if start < log.start:
        return Rebuild(next_offset, f"{where}: candidates stand at {reflected}, the log begins at {log.start}")
    return Start(start)


def verify(claim: Claim, last: Record | None) -> Refuse | None:
    """Is the record before the ledger's position the one that was applied? ``None`` for ``last``: the log has dropped it."""
    if claim.last_timestamp is None or last is None or last.offset != claim.next_offset - 1:
        return None
    if (last.timestamp, key_hash(last.key)) == (claim.last_timestamp, claim.last_key_hash):
        return None
    where = f"{claim.topic}[{claim.partition}]"
    return Refuse(f"{where}: the record at {last.offset} is not the one that was applied: the topic was made anew")
