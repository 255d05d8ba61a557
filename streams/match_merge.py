"""What several offers for one record come to, whatever the order in which they are seen. Pure.

While we are the only writer, each column holds the value of the newest offer that has one. Somebody else's record is taken over
by an offer with a later time, and all of its columns count as of that offer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec


class Stamp(NamedTuple):
    """A position in the source's log."""

    epoch: int
    lsn: int


NEVER: Final = Stamp(0, -1)

#: Target columns to values as JSON; none is null.
Values = Mapping[str, msgspec.Raw]


class Said(NamedTuple):
    """What a source row says of a record. ``at`` is the row's own time in microseconds since 1970."""

    stamp: Stamp
    at: int
    values: Values


@dataclass(frozen=True)
class Standing:
    """A record. ``at`` in microseconds, ``None``: unknown. ``stamp``: of the newest that it holds, ``None``: somebody else's.

    ``columns``: the stamp of each value.
    """

    at: Decimal | None
    stamp: Stamp | None
    columns: Mapping[str, Stamp]


@dataclass
class Merged:
    """What changes: ``values`` to write, ``newest`` the stamp, ``columns`` the stamp of each value, ``taken`` how many counted.

    ``latest``: what gave the record its newest stamp, unless that stood before.
    """

    newest: Stamp
    columns: dict[str, Stamp]
    values: dict[str, msgspec.Raw] = field(default_factory=dict)
    latest: Said | None = None
    taken: int = 0

    def take(self, said: Said) -> None:
        """Take what is newer than what is there."""
        newer = {name: value for name, value in said.values.items() if said.stamp > self.columns.get(name, NEVER)}
        self.values |= newer
        self.columns |= dict.fromkeys(newer, said.stamp)
        if said.stamp > self.newest:
            self.newest, self.latest = said.stamp, said
        elif not newer:
            return
        self.taken += 1


def merge(standing: Standing | None, offers: Sequence[Said], names: Sequence[str]) -> Merged | None:
    """``offers`` in the order of their stamps, ``names`` all columns that are merged; ``None``: nothing is newer."""
    if standing is None:
        merged = Merged(NEVER, {})
    elif standing.stamp is not None:
        merged = Merged(standing.stamp, dict(standing.columns))
    else:
        offers = _from_takeover(standing.at, offers)
        merged = _taken_over(offers[0], names) if offers else Merged(NEVER, {})
    for said in offers:
        merged.take(said)
    return merged if merged.taken else None


def _from_takeover(at: Decimal | None, offers: Sequence[Said]) -> Sequence[Said]:
    """From the first that is later than somebody else's record; then it is ours, and those behind need not be."""
    first = next((place for place, said in enumerate(offers) if at is None or said.at > at), len(offers))
    return offers[first:]


def _taken_over(first: Said, names: Sequence[str]) -> Merged:
    return Merged(NEVER, {name: first.stamp for name in names if name not in first.values})
