"""Parked records: applied in order when their reference has come, dead letters when it has not come in time.

Runs inside the lane, under the ledger lock, and does not move the position: the records were read and counted before. The same
decoder and the same statement apply them as if they came now, and their counts move from one outcome to another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

import psycopg2
from cryptography.fernet import InvalidToken

from flows.model import Flow
from schemas.problems import BadRecord, Reason
from sinks import fact_letters, ledger
from sinks.flow_state import RUNNING
from sinks.ledger import Claim, Locked, Outcome
from sinks.parked import Parked, ParkedTable, State
from sinks.payload_cipher import Headers, PayloadCipher
from sinks.pool import Pool, Session
from sinks.sqlstate import Remedy, described, remedy_of
from streams.applier import RecordDecoder
from streams.unit_of_work import FlowMustStop

PER_TRANSACTION: Final = 500
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


class Patient(Protocol):
    """What applies the records of a flow whose records may wait."""

    @property
    def flow(self) -> Flow:
        """The flow."""
        ...

    @property
    def parked(self) -> ParkedTable:
        """Its parked records."""
        ...

    @property
    def decoder(self) -> RecordDecoder:
        """Makes changes of records; one that has waited is the last of its record."""
        ...

    async def release(self, session: Session, changes: list[tuple[Any, str]]) -> int:
        """Write changes that waited, with what was looked up for them; returns how many count."""
        ...

    def missing(self) -> BadRecord:
        """What a dead letter says whose reference did not come."""
        ...


class _Refused(Exception):
    """The database does not accept one of these records."""

    def __init__(self, records: list[Parked], detail: str) -> None:
        super().__init__(detail)
        self.records = records
        self.detail = detail


class Release:
    """Looks after the parked records of one flow."""

    def __init__(self, applier: Patient, target: Pool, cipher: PayloadCipher) -> None:
        self._applier = applier
        self._parked = applier.parked
        self._target = target
        self._cipher = cipher

    async def run(self, claim: Claim, *, give_up: bool) -> None:
        """Apply what can be applied; ``give_up`` on what is overdue, after that last look."""
        async with self._target.session() as session:
            due = await self._parked.due(session, claim.partition)
        if due:
            await self._apply_all(claim)
            while give_up and await self._give_up(claim):
                pass

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
            if not await self._locked(session, claim):
                return 0
            await self._parked.forget_settled(session, claim.partition)
            records = await self._parked.arrived(session, claim.partition, limit)
            with _judged(records):
                for (topic, state), group in _groups(records).items():
                    await self._apply(session, claim.partition, topic, state, group)
            await self._parked.remove(session, [record.id for record in records])
            await session.run("COMMIT")
        return len(records)

    async def _locked(self, session: Session, claim: Claim) -> Locked | None:
        """The ledger row under its lock, or nothing and no transaction when the flow may not write now."""
        locked = await ledger.lock(session, claim)
        if locked.state == RUNNING and locked.resync <= locked.resynced:
            return locked
        await session.run("ROLLBACK")
        return None

    async def _apply(self, session: Session, partition: int, topic: str, state: State, records: list[Parked]) -> None:
        """Records of one topic, all within their deadline or all beyond it."""
        facts, bad = [], []
        for record in records:
            fact = self._fact(record, partition)
            if isinstance(fact, BadRecord):
                bad.append((record, fact))
            elif fact.content:
                facts.append((fact, record.found))
        await self._refuse(session, bad)
        written = await self._applier.release(session, facts)
        if state is State.WAITING:
            others = len(records) - written - len(bad)
            outcomes = {Outcome.APPLIED: written, Outcome.SUPERSEDED: others, Outcome.DEAD_LETTERED: len(bad)}
            await self._parked.recount(session, topic, partition, {Outcome.PARKED: -len(records), **outcomes})
        else:
            letters = {record.letter for record in records if record.letter} - {record.letter for record, _ in bad}
            await fact_letters.close(session, self._applier.flow.name, letters, ARRIVED)

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
        async with self._target.session() as session:
            if not await self._locked(session, claim):
                return
            await self._parked.write_letters(session, [record.id], str(Reason.REFUSED_BY_DATABASE), detail)
            await self._parked.remove(session, [record.id])
            if record.state is State.WAITING:
                moved = {Outcome.PARKED: -1, Outcome.DEAD_LETTERED: 1}
                await self._parked.recount(session, record.topic, claim.partition, moved)
            await session.run("COMMIT")

    async def _give_up(self, claim: Claim) -> bool:
        """Dead letters for some of those whose deadline has passed; returns whether there may be more."""
        async with self._target.session() as session:
            if not await self._locked(session, claim):
                return False
            overdue = await self._parked.overdue(session, claim.partition, PER_TRANSACTION)
            ids, problem = [identity for identity, _ in overdue], self._applier.missing()
            await self._parked.write_letters(session, ids, str(problem.reason), problem.detail)
            await self._parked.expire(session, ids)
            for topic, count in Counter(topic for _, topic in overdue).items():
                moved = {Outcome.PARKED: -count, Outcome.DEAD_LETTERED: count}
                await self._parked.recount(session, topic, claim.partition, moved)
            await session.run("COMMIT")
        return len(overdue) == PER_TRANSACTION


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
