"""The ledger: positions, fencing tokens and outcome counts, one row per flow, topic and partition of the target database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import msgspec

from sinks.flow_state import RUNNING
from sinks.json_text import json_text
from sinks.pool import Session

COLUMNS: Final = "topic, partition, first_offset, next_offset, owner_epoch, last_timestamp, last_key_hash, resynced"


class Outcome(StrEnum):
    """What became of a record. Every record read has exactly one; the ledger has a column for each."""

    APPLIED = "applied"
    SUPERSEDED = "superseded"
    FILTERED = "filtered"
    PARKED = "parked"
    DEAD_LETTERED = "dead_lettered"
    TOMBSTONE = "tombstones"


class LostOwnership(Exception):
    """Another worker owns the partition now; whoever holds an old token must leave the group."""


@dataclass(frozen=True)
class Claim:
    """A partition that we own: the token and where its ledger stands.

    ``last_timestamp`` (ms) and ``last_key_hash`` describe the record at ``next_offset - 1``.
    """

    flow: str
    topic: str
    partition: int
    first_offset: int
    next_offset: int
    owner_epoch: int
    last_timestamp: int | None
    last_key_hash: int | None
    resynced: int


@dataclass(frozen=True)
class Locked:
    """A ledger row under its lock, with what else the unit of work must know.

    ``now`` is the target's clock in microseconds. ``open_letters``: row key → the offset beyond which a good version of the
    row closes its dead letter; -1 where the letter is of another topic. ``rebuilt_epoch``, ``rebuilt_lsn``: the fence of the last
    rebuild from the source.
    """

    next_offset: int
    now: int
    state: str
    resync: int
    resynced: int
    open_letters: dict[str, int]
    rebuilt_epoch: int
    rebuilt_lsn: int

    @property
    def may_write(self) -> bool:
        """Whether the flow runs and this partition waits for no rebuild."""
        return self.state == RUNNING and self.resync <= self.resynced


@dataclass(frozen=True)
class Advance:
    """How a committed chunk moves its ledger row. ``source_time`` in microseconds, or ``None`` if unknown."""

    next_offset: int
    last_timestamp: int
    last_key_hash: int
    source_time: int | None
    counts: dict[Outcome, int]


async def claim(session: Session, flow: str, owner: str, starts: Iterable[tuple[str, int, int]]) -> list[Claim]:
    """Take the fencing token of partitions; ``starts`` are (topic, partition, verified log start).

    A row that does not exist yet begins at the log start. One statement for all partitions.
    """
    topics, partitions, offsets = zip(*starts, strict=True)
    rows = await session.rows(
        f"""
        INSERT INTO sync.ledger AS l (flow, topic, partition, first_offset, next_offset, owner, owner_epoch, owned_since)
        SELECT %(flow)s, s.topic, s.partition, s.log_start, s.log_start, %(owner)s, 1, now()
        FROM unnest(%(topics)s::text[], %(partitions)s::int[], %(offsets)s::bigint[]) AS s(topic, partition, log_start)
        ORDER BY s.topic, s.partition
        ON CONFLICT (flow, topic, partition)
        DO UPDATE SET owner = excluded.owner, owner_epoch = l.owner_epoch + 1, owned_since = now()
        RETURNING {COLUMNS}
        """,
        {
            "flow": flow,
            "owner": owner,
            "topics": list(topics),
            "partitions": list(partitions),
            "offsets": list(offsets),
        },
    )
    return [Claim(flow, *row) for row in rows]


#: Of a row ``l`` of the ledger and the state ``s`` of its flow: what :class:`Locked` is made of, behind the owner's epoch.
_FACTS: Final = """
    l.next_offset, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    coalesce(s.state, 'running'), coalesce(s.resync, 0), l.resynced,
    (SELECT json_object_agg(d.row_key, d."offset") FROM (
         SELECT row_key, max(CASE WHEN topic = l.topic THEN "offset" ELSE -1 END) AS "offset"
         FROM sync.dead_letter WHERE flow = l.flow AND partition = l.partition
           AND status IN ('open', 'replayed') AND row_key IS NOT NULL GROUP BY row_key) AS d)::text,
    l.rebuilt_epoch, l.rebuilt_lsn"""


async def lock(session: Session, claim: Claim) -> Locked:
    """Begin a transaction and lock the ledger row; raises :class:`LostOwnership` when the token is not ours."""
    row = await session.row(
        f"""
        BEGIN;
        SELECT l.owner_epoch, {_FACTS}
        FROM sync.ledger AS l LEFT JOIN sync.flow_state AS s ON s.flow = l.flow
        WHERE l.flow = %s AND l.topic = %s AND l.partition = %s
        FOR UPDATE OF l
        """,
        (claim.flow, claim.topic, claim.partition),
    )
    if row is None or row[0] != claim.owner_epoch:
        found = "no row" if row is None else f"epoch {row[0]}"
        raise LostOwnership(f"{claim.topic}[{claim.partition}]: ledger has {found}, our token is epoch {claim.owner_epoch}")
    return _locked(row[1:])


async def lock_free(session: Session, claims: Sequence[Claim]) -> dict[Claim, Locked]:
    """Begin a transaction and lock those rows of one flow that nobody holds and whose token is ours; waits for no lock."""
    rows = await session.rows(
        f"""
        BEGIN;
        SELECT g.number, {_FACTS}
        FROM json_to_recordset(%(claims)s::json) AS g(number int, topic text, partition int, owner_epoch bigint)
        JOIN sync.ledger AS l ON (l.flow, l.topic, l.partition, l.owner_epoch) = (%(flow)s, g.topic, g.partition, g.owner_epoch)
        LEFT JOIN sync.flow_state AS s ON s.flow = l.flow
        FOR UPDATE OF l SKIP LOCKED
        """,
        {"flow": claims[0].flow, "claims": json_text([_numbered(number, claim) for number, claim in enumerate(claims)])},
    )
    return {claims[row[0]]: _locked(row[1:]) for row in rows}


def _numbered(number: int, claim: Claim) -> dict[str, Any]:
    return {"number": number, "topic": claim.topic, "partition": claim.partition, "owner_epoch": claim.owner_epoch}


def _locked(facts: tuple[Any, ...]) -> Locked:
    next_offset, now, state, resync, resynced, letters, *rebuilt = facts
    return Locked(next_offset, now, state, resync, resynced, _open_letters(letters), *rebuilt)


def _open_letters(document: str | None) -> dict[str, int]:
    return msgspec.json.decode(document, type=dict[str, int]) if document else {}


#: Moves positions and adds counts. Takes ``flow`` and ``advances``, a JSON array of objects; see :func:`advances_of`.
ADVANCE: Final = f"""
    UPDATE sync.ledger AS l SET next_offset = g.next_offset, last_timestamp = g.last_timestamp, last_key_hash = g.last_key_hash,
        source_time = coalesce(timestamptz 'epoch' + g.source_time * interval '1 microsecond', l.source_time),
        applied_at = clock_timestamp(), records_read = l.records_read + {" + ".join(f"g.{outcome}" for outcome in Outcome)},
        {", ".join(f"{outcome} = l.{outcome} + g.{outcome}" for outcome in Outcome)}
    FROM json_to_recordset(%(advances)s::json) AS g(topic text, partition int, next_offset bigint, last_timestamp bigint,
        last_key_hash bigint, source_time bigint, {", ".join(f"{outcome} bigint" for outcome in Outcome)})
    WHERE (l.flow, l.topic, l.partition) = (%(flow)s, g.topic, g.partition)"""


def advances_of(moved: Iterable[tuple[Claim, Advance]]) -> str:
    """The ``advances`` of :data:`ADVANCE`."""
    return json_text([_advance(claim, advance) for claim, advance in moved])


def _advance(claim: Claim, advance: Advance) -> dict[str, Any]:
    return {
        "topic": claim.topic,
        "partition": claim.partition,
        "next_offset": advance.next_offset,
        "last_timestamp": advance.last_timestamp,
        "last_key_hash": advance.last_key_hash,
        "source_time": advance.source_time,
        **{str(outcome): advance.counts.get(outcome, 0) for outcome in Outcome},
    }


async def advance_and_commit(session: Session, claim: Claim, advance: Advance) -> None:
    """Move the position, add the counts and commit, in one round trip."""
    parameters = {"flow": claim.flow, "advances": advances_of([(claim, advance)])}
    await session.run(f"{ADVANCE}; COMMIT", parameters)


async def finish_resync(
    session: Session, claims: Mapping[str, Claim], resync: int, next_offsets: Mapping[str, int], fence: tuple[int, int]
) -> None:
    """Record that a partition was rebuilt at ``fence`` (epoch, LSN); ``claims`` and ``next_offsets`` by topic.

    Each topic in a transaction of its own; raises :class:`LostOwnership`. Offsets that the log had dropped count as skipped.
    """
    for topic, claim in claims.items():
        await lock(session, claim)
        await finish_topic_resync(session, claim, resync, next_offsets[topic], fence)


async def finish_topic_resync(session: Session, claim: Claim, resync: int, next_offset: int, fence: tuple[int, int]) -> None:
    """The same for one topic, in the transaction that :func:`lock` began; commits."""
    await session.run(
        """
        UPDATE sync.ledger SET resynced = %(resync)s, rebuilt_epoch = %(epoch)s, rebuilt_lsn = %(lsn)s,
            skipped = skipped + (%(next)s - next_offset), next_offset = %(next)s,
            last_timestamp = CASE WHEN next_offset = %(next)s THEN last_timestamp END,
            last_key_hash = CASE WHEN next_offset = %(next)s THEN last_key_hash END
        WHERE flow = %(flow)s AND topic = %(topic)s AND partition = %(partition)s;
        COMMIT
        """,
        {
            "flow": claim.flow,
            "topic": claim.topic,
            "partition": claim.partition,
            "resync": resync,
            "next": next_offset,
            "epoch": fence[0],
            "lsn": fence[1],
        },
    )
