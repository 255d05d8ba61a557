"""Parked records: they wait in the target database until the row that they refer to is there.

Nobody is told when a row arrives: the lane of the waiting partition looks, again and again. What is committed on either side is
found by the next look, so that neither side needs a lock of the other's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flows.reference import Reference
from sinks import parked_statements as statements
from sinks.json_text import json_text
from sinks.ledger import Outcome
from sinks.payload_cipher import Headers, PayloadCipher
from sinks.pool import Session


class State(StrEnum):
    """``sync.parked.state``: within its deadline, or a dead letter whose reference may still come."""

    WAITING = "waiting"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Waiting:
    """A record to be parked. ``timestamp`` is Kafka's, in ms."""

    offset: int
    row_key: str
    reference: str
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True)
class Parked:
    """A record whose reference is there: ``found`` is what was looked up. Its parts are still encrypted."""

    id: int
    topic: str
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: bytes | None
    state: State
    letter: int | None
    found: str


class ParkedTable:
    """The parked records of one flow, whose references have the SQL type ``key_type``. Inside a transaction of the caller's."""

    def __init__(self, flow: str, reference: Reference, key_type: str, cipher: PayloadCipher) -> None:
        self._flow = flow
        self._cipher = cipher
        self._known = statements.known_statement(reference, key_type)
        self._due = statements.due_statement(reference, key_type)
        self._arrived = statements.arrived_statement(reference, key_type)
        self._overdue = statements.overdue_statement(reference, key_type)
        self._count_overdue = statements.count_overdue_statement(reference, key_type)

    async def known(self, session: Session, references: Iterable[str]) -> dict[str, str]:
        """Those of the references that are there, with what is looked up."""
        return dict(await session.rows(self._known, {"references": _keys(references)}))

    async def waiting(self, session: Session, partition: int, row_keys: Iterable[str]) -> set[str]:
        """Those of the row keys of which a record waits."""
        rows = await session.rows(statements.WAITING, {"flow": self._flow, "partition": partition, "row_keys": _keys(row_keys)})
        return {row_key for (row_key,) in rows}

    async def park(
        self, session: Session, topic: str, partition: int, records: Sequence[Waiting], *, seconds: float
    ) -> frozenset[int]:
        """Park records for at most ``seconds``; returns the offsets of those that were not parked before."""
        if not records:
            return frozenset()
        document = json_text([self._row(record) for record in records])
        place = {"flow": self._flow, "topic": topic, "partition": partition}
        rows = await session.rows(statements.PARK, {**place, "records": document, "seconds": seconds})
        return frozenset(offset for (offset,) in rows)

    def _row(self, record: Waiting) -> dict[str, str | int | None]:
        return {
            "offset": record.offset,
            "row_key": record.row_key,
            "reference": record.reference,
            "record_time": record.timestamp,
            **self._cipher.encrypted(record.key, record.value, record.headers),
        }

    async def due(self, session: Session, partitions: Collection[int]) -> set[int]:
        """Those of the partitions in which anything is to be done: a cheap look that needs no lock."""
        rows = await session.rows(self._due, {"flow": self._flow, "partitions": list(partitions)})
        return {partition for (partition,) in rows}

    async def arrived(self, session: Session, partition: int, limit: int) -> list[Parked]:
        """Records whose reference is there and before which none of their key waits for another, in order."""
        rows = await session.rows(self._arrived, {"flow": self._flow, "partition": partition, "limit": limit})
        return [_parked(*row) for row in rows]

    async def overdue(self, session: Session, partition: int, limit: int) -> list[tuple[int, str]]:
        """(id, topic) of records whose deadline has passed and whose reference is not there at this moment."""
        rows = await session.rows(self._overdue, {"flow": self._flow, "partition": partition, "limit": limit})
        return [(identity, topic) for identity, topic in rows]

    async def count_overdue(self, session: Session) -> int:
        """How many records of the flow, in all partitions, are overdue."""
        found = await session.row(self._count_overdue, {"flow": self._flow})
        return int(found[0]) if found else 0

    async def write_letters(self, session: Session, ids: Collection[int], reason: str, detail: str) -> None:
        """Make dead letters of parked records; a letter that exists already is told the reason."""
        await session.run(statements.LETTERS, {"ids": list(ids), "reason": reason, "detail": detail})

    async def expire(self, session: Session, ids: Collection[int]) -> None:
        """Waiting records have dead letters now."""
        await session.run(statements.EXPIRE, {"ids": list(ids)})

    async def remove(self, session: Session, ids: Collection[int]) -> None:
        """They wait no longer."""
        if ids:
            await session.run("DELETE FROM sync.parked WHERE id = ANY(%(ids)s)", {"ids": list(ids)})

    async def cancel(self, session: Session, partition: int, row_keys: Iterable[str]) -> Counter[str]:
        """What waits of rows that have a newer version waits no longer; returns how many there were of each topic."""
        parameters = {"flow": self._flow, "partition": partition, "row_keys": _keys(row_keys)}
        return Counter(topic for (topic,) in await session.rows(statements.CANCEL, parameters))

    async def forget_settled(self, session: Session, partition: int) -> None:
        """Expired records whose dead letter was closed or discarded wait for nothing."""
        await session.run(statements.FORGET, {"flow": self._flow, "partition": partition})

    async def recount(self, session: Session, topic: str, partition: int, changes: Mapping[Outcome, int]) -> None:
        """Move counts of the ledger between outcomes; ``changes`` add up to zero, because no record is read."""
        moved = ", ".join(f"{outcome} = {outcome} + %({outcome})s" for outcome in changes)
        place = {"flow": self._flow, "topic": topic, "partition": partition}
        await session.run(
            f"UPDATE sync.ledger SET {moved} WHERE flow = %(flow)s AND topic = %(topic)s AND partition = %(partition)s",
            {**place, **{str(outcome): count for outcome, count in changes.items()}},
        )


def _keys(texts: Iterable[str]) -> str:
    return json_text(sorted(set(texts)))


def _bytes(stored: memoryview | None) -> bytes | None:
    return None if stored is None else bytes(stored)


def _parked(*row: Any) -> Parked:
    identity, topic, offset, timestamp, *parts, state, letter, found = row
    key, value, headers = map(_bytes, parts)
    return Parked(identity, topic, offset, timestamp, key, value, headers, State(state), letter, found)
