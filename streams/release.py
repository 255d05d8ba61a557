"""Parked records are applied in order when their reference has come; what it does not come for: :mod:`streams.giving_up`.

Runs inside the lane, under the ledger lock, and does not move the position: the records were read and counted before. The same
decoder and the same statement apply them as if they came now, and their counts move from one outcome to another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from cryptography.fernet import InvalidToken

from schemas.problems import BadRecord, Reason
from sinks import fact_letters
from sinks.ledger import Claim, Outcome
from sinks.parked import Parked, State
from sinks.payload_cipher import Headers, PayloadCipher
from sinks.pool import Pool, Session
from sinks.sqlstate import Remedy, described, remedy_of
from streams.patient import PER_TRANSACTION, Patient, may_write
from streams.share_breaker import ShareBreaker
from streams.unit_of_work import FlowMustStop

ARRIVED: Final = "the reference has come and the record was applied"


@dataclass
class StoredRecord:
    """A record as it was read; see :class:`~streams.batches.Record`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class _Refused(Exception):
    """The database does not accept one of these records."""

    def __init__(self, records: list[Parked], detail: str) -> None:
        super().__init__(detail)
        self.records = records
        self.detail = detail


class Release:
    """Looks after the parked records of one flow."""

    def __init__(self, applier: Patient, target: Pool, cipher: PayloadCipher, breaker: ShareBreaker) -> None:
        self._applier = applier
        self._parked = applier.parked
        self._target = target
        self._cipher = cipher
        self._breaker = breaker

    async def run(self, claim: Claim) -> bool:
        """Apply what can be applied; returns whether there was anything to look at, overdue records too."""
        async with self._target.session() as session:
            due = await self._parked.due(session, [claim.partition])
        if due:
            await self._apply_all(claim)
        return bool(due)

    async def _apply_all(self, claim: Claim) -> None:
        limit = PER_TRANSACTION
        handled = limit
        while handled == limit:
            try:
                handled = await self._apply_some(claim, limit)
            except _Refused as refused:
                if len(refused.records) == 1:
                    await self._bury(claim, refused.records[0], refused.detail)
                handled = limit = max(len(refused.records) // 2, 1)

    async def _apply_some(self, claim: Claim, limit: int) -> int:
        """One transaction; returns how many records it took."""
        async with self._target.session() as session:
            if not await may_write(session, claim):
                return 0
            await self._parked.forget_settled(session, claim.partition)
            records, bad = await self._parked.arrived(session, claim.partition, limit), 0
            with _judged(records):
                for (topic, state), group in _groups(records).items():
                    bad += await self._apply(session, claim.partition, topic, state, group)
            await self._parked.remove(session, [record.id for record in records])
            await session.run("COMMIT")
        self._breaker.committed(sum(record.state is State.WAITING for record in records), bad)
        return len(records)

    async def _apply(self, session: Session, partition: int, topic: str, state: State, records: list[Parked]) -> int:
        """Records of one topic, all within their deadline or all beyond it; returns how many became dead letters."""
        facts, bad = [], []
        for record in records:
            fact = self._fact(record, partition)
            if isinstance(fact, BadRecord):
                bad.append((record, fact))
            elif fact.content:
                facts.append((fact, record.found))
        if state is State.WAITING:
            self._breaker.check(len(records), len(bad))
        await self._refuse(session, bad)
        written = await self._applier.release(session, facts)
        if state is State.WAITING:
            others = len(records) - written - len(bad)
            outcomes = {Outcome.APPLIED: written, Outcome.SUPERSEDED: others, Outcome.DEAD_LETTERED: len(bad)}
            await self._parked.recount(session, topic, partition, {Outcome.PARKED: -len(records), **outcomes})
            return len(bad)
        letters = {record.letter for record in records if record.letter} - {record.letter for record, _ in bad}
        await fact_letters.close(session, self._applier.flow.name, letters, ARRIVED)
        return 0

    async def _refuse(self, session: Session, bad: list[tuple[Parked, BadRecord]]) -> None:
        for record, problem in bad:
            await self._parked.write_letters(session, [record.id], str(problem.reason), problem.detail)

    def _fact(self, record: Parked, partition: int) -> Any:
        """Decode it once more, to a change or a :class:`BadRecord`; the definition may have changed meanwhile."""
        stored = self._stored(record, partition)
        (chunk,) = self._applier.decoder.decode([stored])
        return chunk.problems[record.offset] if chunk.problems else chunk.changes[-1]

    def _stored(self, record: Parked, partition: int) -> StoredRecord:
        cipher = self._cipher
        try:
            key, value, headers = cipher.decrypt(record.key), cipher.decrypt(record.value), cipher.decrypt_headers(record.headers)
        except InvalidToken:
            raise FlowMustStop("no key in SYNC_PAYLOAD_KEYS opens a parked record: add the key that was in use") from None
        return StoredRecord(record.topic, partition, record.offset, record.timestamp, key, value, headers)

    async def _bury(self, claim: Claim, record: Parked, detail: str) -> None:
        """A record that the database refuses is a dead letter, and waits no longer."""
        late = int(record.state is State.WAITING)
        self._breaker.check(late, late)
        async with self._target.session() as session:
            if not await may_write(session, claim):
                return
            await self._parked.write_letters(session, [record.id], str(Reason.REFUSED_BY_DATABASE), detail)
            await self._parked.remove(session, [record.id])
            if late:
                moved = {Outcome.PARKED: -1, Outcome.DEAD_LETTERED: 1}
                await self._parked.recount(session, record.topic, claim.partition, moved)
            await session.run("COMMIT")
        self._breaker.committed(late, late)


def _groups(records: Iterable[Parked]) -> dict[tuple[str, State], list[Parked]]:
    groups: dict[tuple[str, State], list[Parked]] = defaultdict(list)
    for record in records:
        groups[record.topic, record.state].append(record)
    return groups


@contextmanager
def _judged(records: list[Parked]) -> Iterator[None]:
    """What is to be done about an error of the database."""
    try:
        yield
    except psycopg2.Error as error:
        remedy = remedy_of(error)
        if remedy is Remedy.BISECT:
            raise _Refused(records, described(error)) from error
        if remedy is Remedy.STOP:
            raise FlowMustStop(f"the target refused a statement: {described(error)}") from error
        raise
