"""What differs between the kinds of flow: how the changes of a chunk become rows. All else is the unit of work's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sinks.ledger import Claim, Locked
from sinks.pool import Session
from streams.batches import Record
from streams.chunk import Chunk
from tables.entry import Version


@dataclass(frozen=True)
class Written:
    """What a chunk came to: records by outcome, target rows, and row keys whose open dead letters are void now."""

    applied: int
    deleted: int
    written: int
    healed: frozenset[str] = frozenset()
    filtered: int = 0
    parked: int = 0


class Application(Protocol):
    """One chunk being applied. Nothing that :meth:`write` does outside of the transaction may outlive a failure unnoticed."""

    async def write(self, session: Session) -> Written:
        """Write everything; raises ``psycopg2.Error`` or ``StatementTimeout``."""
        ...

    async def abandon(self, *, undo: bool) -> None:
        """The transaction failed. ``undo``: one of its rows is at fault, so that the others are tried again without it."""

    async def confirm(self) -> tuple[range, ...]:
        """Wait until what was written elsewhere is safe; returns holes that somebody else left in our changelog."""
        ...


class RecordDecoder(Protocol):
    """From records to chunks. ``epoch`` numbers the incarnations of the source database."""

    epoch: int

    def decode(self, records: Sequence[Record], *, keep: bool = False) -> list[Chunk]:
        """One chunk, or several that may not be merged; ``keep`` the originals of all records."""
        ...


class Applier(Protocol):
    """One per flow, shared by its lanes."""

    @property
    def decoder(self) -> RecordDecoder:
        """Makes the chunks that :meth:`prepare` takes."""
        ...

    def has_accepted(self, claim: Claim, locked: Locked, truncate: Version) -> bool:
        """Whether the partition was rebuilt from the source after that TRUNCATE."""
        ...

    async def catch_up(self, claim: Claim, chunk: Chunk, next_offset: int) -> None:
        """Bring what is kept beside the target up to ``next_offset``, where the ledger stands, as far as the chunk reaches."""

    def prepare(self, claim: Claim, locked: Locked, chunk: Chunk, *, barred: bool) -> Application:
        """Decide what the chunk comes to; may add to its problems. ``barred``: the database has refused its only row."""
        ...
