"""Match flows: what a row says goes into the record with its match key, column by column, if it is newer than what stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sinks.ledger import Claim, Locked
from sinks.pool import Session
from streams import settlement
from streams.applier import Written
from streams.chunk import Chunk
from streams.match_decoding import MatchDecoder, Offer
from streams.match_writer import MatchWriter
from streams.target_only import TargetApplication, TargetApplier


@dataclass(frozen=True)
class MatchApplier(TargetApplier):
    """See :class:`~streams.applier.Applier`."""

    writer: MatchWriter
    decoder: MatchDecoder

    def prepare(self, claim: Claim, locked: Locked, chunk: Chunk, *, barred: bool) -> MatchApplication:  # noqa: ARG002 as the protocol has it
        """A row that the database refused keeps its last good version."""
        return MatchApplication(self.writer, chunk, locked.open_letters, [] if barred else chunk.changes)


@dataclass
class MatchApplication(TargetApplication):
    """See :class:`~streams.applier.Application`."""

    writer: MatchWriter
    chunk: Chunk
    letters: dict[str, int]
    offers: Sequence[Offer]

    async def write(self, session: Session) -> Written:
        """All offers, not only the newest of each row: an older one may have what the newest leaves out."""
        matched = await self.writer.write(session, self.offers, self.letters)
        filtered = sum(offer.gone for offer in self.chunk.changes)
        good = settlement.healed(self.chunk, self.letters, lambda _, key: key in matched.keys)
        return Written(matched.applied, 0, matched.written, good, filtered)
