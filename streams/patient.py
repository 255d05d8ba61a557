"""What those share who look after parked records: what applies them, and the lock under which they write."""

from __future__ import annotations

from typing import Any, Final, Protocol

from flows.model import Flow
from schemas.problems import BadRecord
from sinks import ledger
from sinks.ledger import Claim
from sinks.parked import ParkedTable
from sinks.pool import Session
from streams.applier import RecordDecoder

PER_TRANSACTION: Final = 500


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


async def may_write(session: Session, claim: Claim) -> bool:
    """Begin a transaction under the ledger lock; none is left open where the flow may not write now."""
    if (await ledger.lock(session, claim)).may_write:
        return True
    await session.run("ROLLBACK")
    return False
