"""What became of each record of a chunk, once its changes are staged: outcomes, dead letters, letters to close."""

from __future__ import annotations

import zlib
from collections import Counter

from schemas.headers import REPLAY_HEADER
from schemas.problems import BadRecord, Reason
from sinks.dead_letters import DeadLetter
from sinks.ledger import Advance, Outcome
from streams.batches import Record
from streams.decoding import Decoded
from tables.candidates import Staged


def settle(decoded: Decoded, staged: Staged) -> None:
    """Turn what staging could not do into problems."""
    for index in staged.missing:
        number = decoded.owners[index]
        detail = "a column that the source left out is not known here; set REPLICA IDENTITY FULL and replay"
        decoded.problems[number] = BadRecord(Reason.UNCHANGED_TOAST, detail, decoded.row_keys.get(number))


def outcomes(decoded: Decoded, staged: Staged) -> Counter[Outcome]:
    """One outcome per record."""
    accepted = {number for index, number in enumerate(decoded.owners) if staged.accepted[index]}
    dead, tombstones = len(decoded.problems), len(decoded.tombstones)
    applied = len(accepted - decoded.problems.keys())
    superseded = len(decoded.records) - dead - tombstones - applied
    return Counter(
        {
            Outcome.APPLIED: applied,
            Outcome.SUPERSEDED: superseded,
            Outcome.DEAD_LETTERED: dead,
            Outcome.TOMBSTONE: tombstones,
        }
    )


def letters(decoded: Decoded) -> list[DeadLetter]:
    """The dead letters of a chunk, in order of offset."""
    return [_letter(decoded.records[number], problem) for number, problem in sorted(decoded.problems.items())]


def _letter(record: Record, problem: BadRecord) -> DeadLetter:
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        reason=str(problem.reason),
        detail=problem.detail,
        row_key=problem.row_key,
        record_time=record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers or ()),
        replay_of=_replay_of(record),
    )


def _replay_of(record: Record) -> int | None:
    found = dict(record.headers or ()).get(REPLAY_HEADER)
    return int(found) if found and found.isdigit() else None


def healed(decoded: Decoded, staged: Staged, open_letters: dict[str, int]) -> set[str]:
    """Row keys whose dead letters a later good version has made void."""
    if not open_letters:
        return set()
    accepted = {number for index, number in enumerate(decoded.owners) if staged.accepted[index]}
    return {
        row_key
        for number, row_key in decoded.row_keys.items()
        if row_key in open_letters
        and number not in decoded.problems
        and decoded.records[number].offset > open_letters[row_key]
        and (number in accepted or _replay_of(decoded.records[number]) is not None)
    }


def advance(decoded: Decoded, counts: Counter[Outcome]) -> Advance:
    """How the chunk moves its ledger row."""
    last = decoded.records[-1]
    latest = max(decoded.source_times, default=None)
    return Advance(last.offset + 1, last.timestamp, key_hash(last.key), latest, dict(counts))


def key_hash(key: bytes | None) -> int:
    """32 bits that tell whether a record at an offset is still the one that was applied."""
    return zlib.crc32(key or b"")
