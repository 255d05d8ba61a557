"""The database that a flow is captured from: which cluster it is, and hence of which epoch its changes are."""

from __future__ import annotations

from dataclasses import dataclass

from flows.tables import Database
from sinks import source_identity
from sinks.pool import Pool, Session, Unavailable
from sinks.source_identity import Identity


@dataclass(frozen=True)
class CapturedSource:
    """A source as the lanes of a flow see it."""

    database: Database
    pool: Pool

    async def identity(self) -> Identity | None:
        """Ask the source itself; ``None`` while it cannot be reached."""
        try:
            async with self.pool.session() as session:
                return await source_identity.identify(session)
        except Unavailable:
            return None

    async def epoch(self, target: Session, found: Identity | None = None) -> int:
        """The epoch that the target knows, see :func:`~sinks.source_identity.epoch_of`."""
        return await source_identity.epoch_of(target, self.database.value, found)
