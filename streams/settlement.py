"""What became of each record of a chunk, for the ledger and the dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from schemas.problems import BadRecord, Reason
from sinks.dead_letters import DeadLetter
from sinks.ledger import Advance, Locked, Outcome
from streams.applier import Written
from streams.chunk import Chunk


def outcomes(chunk: Chunk, written: Written) -> Counter[Outcome]:
    """One outcome per record."""
    dead, tombstones = len(chunk.problems), len(chunk.tombstones)
    return Counter(
        {
            Outcome.APPLIED: written.applied,
            Outcome.FILTERED: written.filtered,
            Outcome.PARKED: written.parked,
            Outcome.DEAD_LETTERED: dead,
            Outcome.TOMBSTONE: tombstones,
            Outcome.SUPERSEDED: len(chunk) - written.applied - written.filtered - written.parked - dead - tombstones,
        }
    )


def with_new_letters(locked: Locked, chunk: Chunk) -> Locked:
    """With the letters that the chunk's own problems become: only a good version behind such a one closes it."""
    if not chunk.problems:
        return locked
    letters = dict(locked.open_letters)
    for offset, problem in chunk.problems.items():
        if problem.row_key is not None:
            letters[problem.row_key] = max(offset, letters.get(problem.row_key, offset))
    return replace(locked, open_letters=letters)


def healed(chunk: Chunk, open_letters: dict[str, int], is_good: Callable[[int, str], bool]) -> frozenset[str]:
    """Row keys of open letters that are void now; ``open_letters`` as in ``Locked``.

    A version that ``is_good`` (offset, row key) heals a letter that lies before it; so does the letter itself, sent again.
    """
    if not open_letters:
        return frozenset()
    return frozenset(
        key
        for offset, change in zip(chunk.owners, chunk.changes, strict=True)
        if (key := change.row_key) in open_letters
        and offset not in chunk.problems
        and offset > open_letters[key]
        and (offset in chunk.replays or is_good(offset, key))
    )


def value_left_out(row_key: str) -> BadRecord:
    """The problem of a change whose values PostgreSQL had not rewritten, of a row that does not stand here."""
    detail = "a column that the source left out is not known here; set REPLICA IDENTITY FULL and replay"
    return BadRecord(Reason.UNCHANGED_TOAST, detail, row_key)


def reference_missing(column: str, table: str, row_key: str | None = None) -> BadRecord:
    """The problem of a record whose reference did not come."""
    return BadRecord(Reason.REFERENCE_MISSING, f"`{column}` names no row of {table}", row_key)


def letters(chunk: Chunk) -> list[DeadLetter]:
    """The dead letters of a chunk, in order of offset."""
    return [_letter(chunk, offset, problem) for offset, problem in sorted(chunk.problems.items())]


def _letter(chunk: Chunk, offset: int, problem: BadRecord) -> DeadLetter:
    record = chunk.originals[offset]
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=offset,
        reason=str(problem.reason),
        detail=problem.detail,
        row_key=problem.row_key,
        record_time=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers or ()),
        replay_of=chunk.replays.get(offset),
    )


def advance(chunk: Chunk, counts: Counter[Outcome]) -> Advance:
    """How the chunk moves its ledger row."""
    return Advance(chunk.next_offset, chunk.last_timestamp, chunk.last_key_hash, chunk.source_time, dict(counts))
