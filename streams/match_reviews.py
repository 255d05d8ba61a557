"""What a person should look at after a match flow has written: keys only, nothing of what a citizen says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from flows.match_model import MatchFlow
from streams.match_decoding import Offer

NEW_RECORD: Final = "new_record"
MATCH_CHANGED: Final = "number_changed"


class Review(msgspec.Struct, frozen=True, gc=False):
    """A row of ``sync.review_queue``."""

    kind: str
    citizen_id: str
    gr_id: str
    reason: str


class Reviews:
    """Finds them. ``offers`` are those that won, in order of their versions; ``records``: match key to golden record."""

    def __init__(self, flow: MatchFlow) -> None:
        self._match = flow.match.source
        self._lookups = [
            (
                f"unknown_{lookup.source}",
                f"`{lookup.source}` of the citizen is not in {lookup.table.qualified}: the record keeps its {lookup.column}",
            )
            for lookup in flow.lookups
        ]

    def made(self, offers: Sequence[Offer], records: Mapping[str, str], made: Collection[str]) -> Iterator[Review]:
        """Records that are new, each with the first who offered something for it."""
        firsts = {offer.match: offer.row_key for offer in reversed(offers) if offer.match in made}
        reason = f"no golden record had `{self._match}` of the citizen: this one was made"
        yield from (Review(NEW_RECORD, citizen, records[match], reason) for match, citizen in firsts.items())

    def left(self, citizen: str, record: str) -> Review:
        """A record that a citizen does not match any more."""
        return Review(MATCH_CHANGED, citizen, record, f"`{self._match}` of the citizen is another now: this is the old record")

    def unknown(
        self, offers: Sequence[Offer], records: Mapping[str, str], found: Sequence[Mapping[str, Any]]
    ) -> Iterator[Review]:
        """Names that nobody knows."""
        for offer in offers:
            for (kind, reason), name, known in zip(self._lookups, offer.names, found, strict=True):
                if name is not None and name not in known:
                    yield Review(kind, offer.row_key, records[offer.match], reason)
