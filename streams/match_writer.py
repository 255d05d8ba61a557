"""Writes what a chunk of a match flow offers, inside a transaction that somebody else has begun under the ledger lock.

The steps, in this order:

1. versions: of each citizen what is newer than what stood goes on;
2. names are looked up; records that do not exist are made, those that do are locked, in the order of their match keys;
3. what the locked records hold is compared with what is offered, and what is newer is written;
4. links of citizens that are new or changed are made under the exclusive lock of links, and the rows that waited for them filled;
5. what a person should look at is noted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from flows.definition import Definition
from flows.match_model import MatchFlow
from flows.moments import moment_of
from schemas.connector import TOAST_PLACEHOLDER
from sinks import match_rows
from sinks.json_text import json_text
from sinks.person_links import LOCK_EXCLUSIVE, linking_statement
from sinks.pool import Session
from streams.match_decoding import Offer
from streams.match_merge import Merged, Said, Stamp, Standing, merge
from streams.match_reviews import Review, Reviews

#: Values that say nothing: null, and what the source left out because it has not changed.
_SILENT: Final = frozenset({b"null", msgspec.json.encode(TOAST_PLACEHOLDER)})
_STAMPS: Final = msgspec.json.Decoder(dict[str, Stamp])


@dataclass(frozen=True)
class Matched:
    """Offers that counted, records made or changed, and row keys asked for that won."""

    applied: int = 0
    written: int = 0
    keys: frozenset[str] = frozenset()


class _Before(NamedTuple):
    """What stood of a row whose version won: its version, and the record that its citizen was linked to."""

    version: tuple[int, int, bool] | None
    record: str | None


class MatchWriter:
    """``linked`` are the flows into the same database whose rows are linked to the records."""

    def __init__(self, flow: MatchFlow, linked: Iterable[Definition]) -> None:
        self._flow = flow
        self._parameters = {"flow": flow.name, "writer": flow.signature.writer}
        self._reviews = Reviews(flow)
        self._lookups = [match_rows.lookup_statement(lookup) for lookup in flow.lookups]
        self._making = match_rows.making_statement(flow)
        self._standing = match_rows.standing_statement(flow)
        self._updating = match_rows.updating_statement(flow)
        self._linking = LOCK_EXCLUSIVE + linking_statement(linked)

    async def write(self, session: Session, offers: Sequence[Offer], asked: Iterable[str] = ()) -> Matched:
        """Write what is newer; ``asked`` are row keys of which the answer tells."""
        won = await self._guard(session, offers) if offers else {}
        keys = frozenset(asked) & won.keys()
        fresh = _fresh(offers, won)
        if not fresh:
            return Matched(keys=keys)
        known = [await self._known(session, place, fresh) for place in range(len(self._lookups))]
        said = self._said(fresh, known)
        made = await self._make(session, said)
        records, merged = await self._merge(session, said, made)
        written = await self._update(session, records, merged)
        left = await self._link(session, fresh, records, won)
        reviews = [*left, *self._reviews.made(fresh, records, made), *self._reviews.unknown(fresh, records, known)]
        if reviews:
            await session.run(match_rows.REVIEW, self._with(reviews=reviews))
        return Matched(sum(each.taken for each in merged.values()), len(made) + written, keys)

    async def _guard(self, session: Session, offers: Sequence[Offer]) -> dict[str, _Before]:
        newest: dict[str, Offer] = {}
        for offer in offers:
            if offer.row_key not in newest or offer.version > newest[offer.row_key].version:
                newest[offer.row_key] = offer
        rows = [{"k": key, "e": each.stamp.epoch, "l": each.stamp.lsn, "d": each.gone} for key, each in newest.items()]
        found = await session.rows(match_rows.GUARD, self._with(rows=rows))
        return {
            key: _Before(None if epoch is None else (epoch, lsn, not gone), record) for key, epoch, lsn, gone, record in found
        }

    async def _known(self, session: Session, place: int, fresh: Sequence[Offer]) -> dict[str, Any]:
        """The names of one lookup that are known, with their values."""
        names = {name for offer in fresh if (name := offer.names[place]) is not None}
        return dict(await session.rows(self._lookups[place], self._with(names=sorted(names))) if names else ())

    def _said(self, fresh: Sequence[Offer], known: Sequence[Mapping[str, Any]]) -> dict[str, list[Said]]:
        said: dict[str, list[Said]] = defaultdict(list)
        for offer in fresh:
            content = msgspec.json.decode(b"{%b}" % offer.content, type=dict[str, msgspec.Raw])
            values = {name: value for name, value in content.items() if bytes(value) not in _SILENT}
            for lookup, name, values_known in zip(self._flow.lookups, offer.names, known, strict=True):
                if name is not None and name in values_known:
                    values[lookup.column] = msgspec.Raw(msgspec.json.encode(values_known[name]))
            said[offer.match].append(Said(offer.stamp, offer.at, values))
        return said

    async def _make(self, session: Session, said: Mapping[str, Sequence[Said]]) -> dict[str, Merged]:
        """Lock the records; of those that did not exist, what they were made of."""
        fresh = {match: merged for match, each in said.items() if (merged := merge(None, each, self._flow.merged_columns))}
        rows = [{self._flow.match.name: match, **self._values(merged)} for match, merged in fresh.items()]
        found = await session.rows(self._making, self._with(rows=rows))
        return {match: fresh[match] for (match,) in found}

    async def _merge(
        self, session: Session, said: Mapping[str, Sequence[Said]], made: Mapping[str, Merged]
    ) -> tuple[dict[str, str], dict[str, Merged]]:
        """The identity of each record, by its match key, and what changes in those that change."""
        records, merged = {}, dict(made)
        for match, identity, at, ours, epoch, lsn, columns in await session.rows(self._standing, self._with(keys=list(said))):
            records[match] = identity
            standing = Standing(at, Stamp(epoch, lsn), _STAMPS.decode(columns)) if ours else Standing(at, None, {})
            change = None if match in made else merge(standing, said[match], self._flow.merged_columns)
            if change is not None:
                merged[match] = change
        return records, merged

    async def _update(self, session: Session, records: Mapping[str, str], merged: Mapping[str, Merged]) -> int:
        """Write what changes; returns how many records, new ones aside."""
        rows = [
            {
                self._flow.identity: records[match],
                "e": each.newest.epoch,
                "l": each.newest.lsn,
                "columns": each.columns,
                **self._values(each),
            }
            for match, each in merged.items()
        ]
        found = await session.row(self._updating, self._with(rows=rows)) if rows else None
        return int(found[0]) if found else 0

    async def _link(
        self, session: Session, fresh: Sequence[Offer], records: Mapping[str, str], won: Mapping[str, _Before]
    ) -> list[Review]:
        """Link citizens to their records; the records that they leave are to be reviewed."""
        links = {key: before.record for key, before in won.items()}
        left = []
        for offer in fresh:
            before, record = links[offer.row_key], records[offer.match]
            if before is not None and before != record:
                left.append(self._reviews.left(offer.row_key, before))
            links[offer.row_key] = record
        new = [{"citizen_id": key, "gr_id": record} for key, record in links.items() if record != won[key].record]
        if new:
            await session.run(self._linking, self._with(links=new))
        return left

    def _values(self, merged: Merged) -> dict[str, Any]:
        """The columns that change."""
        latest = merged.latest
        return merged.values | ({} if latest is None else {self._flow.time: moment_of(latest.at)})

    def _with(self, **arrays: Any) -> dict[str, str]:
        """Parameters of a statement; arrays travel as JSON."""
        return self._parameters | {name: json_text(array) for name, array in arrays.items()}


def _fresh(offers: Sequence[Offer], won: Mapping[str, _Before]) -> list[Offer]:
    """Those that count and are newer than what stood of their row before they came, in the order of their versions."""
    newest = {key: before.version for key, before in won.items()}
    fresh = []
    for offer in offers:
        version = newest.get(offer.row_key)
        if offer.row_key in won and (version is None or offer.version > version):
            newest[offer.row_key] = offer.version
            if not offer.gone:
                fresh.append(offer)
    return sorted(fresh, key=lambda offer: offer.version)
