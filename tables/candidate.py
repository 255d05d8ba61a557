"""A candidate: what the table keeps of one source row, live or removed, and how it becomes bytes.

Keys: group (16 bytes of the UUID) and primary key (8 bytes, order-preserving), so that the candidates of a group
stand side by side. The version is the source LSN within an epoch of the source; it only ever grows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final

import msgspec

from flows.model import Flow

#: How long a removed or superseded row is remembered after its last change: CDC topics keep 7 days, with room.
REMEMBERED: Final = timedelta(days=35)
_SIGN: Final = 2**63
MICROSECOND: Final = timedelta(microseconds=1)


class Candidate(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One source row as the ranking sees it. Times are microseconds since 1970, UTC.

    ``counts`` tells whether the row passes the flow's filter. ``expires_at``: when it stops counting; ``forget_at``: when
    the entry itself may go. ``shown`` are the mapped target values that ranking does not decide, in target order.
    A removed row has ``live`` false and nothing else that matters.
    """

    epoch: int
    lsn: int
    forget_at: int
    live: bool
    counts: bool = False
    item: str = ""
    subject: str = ""
    time: int = 0
    expires_at: int = 0
    score: Decimal = Decimal(0)
    shown: tuple[Any, ...] = ()

    @property
    def version(self) -> tuple[int, int]:
        """Orders the versions of one row."""
        return (self.epoch, self.lsn)

    @property
    def due_at(self) -> int:
        """When time alone changes something: it stops counting, or may be forgotten."""
        return self.expires_at if self.live and self.counts else self.forget_at


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(Candidate).decode


def group_key(group: str) -> bytes:
    """The 16 bytes of a group's UUID."""
    return bytes.fromhex(group.replace("-", ""))


def candidate_key(group: str, identity: int) -> bytes:
    """24 bytes; sorts by group, then by primary key."""
    return bytes.fromhex(group.replace("-", "")) + (identity + _SIGN).to_bytes(8, "big")


def identity_of(key: bytes) -> int:
    """The primary key inside a candidate key."""
    return int.from_bytes(key[16:24], "big") - _SIGN


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly; ``moment`` is aware."""
    return round(moment.timestamp() * 1e6) if moment.year < 2200 else (moment - _EPOCH) // MICROSECOND


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def removed(version: tuple[int, int], source_time: int, previous: Candidate | None) -> Candidate:
    """The trace of a row that is gone; it outlives every older change that may still be sent again."""
    remembered = source_time + REMEMBERED // MICROSECOND
    return Candidate(*version, forget_at=max(remembered, previous.forget_at if previous else 0), live=False)


def candidate_builder(flow: Flow) -> Callable[[Any, tuple[int, int], int], Candidate]:
    """A function of (row, version, source_time) for rows with the flow's source columns as attributes."""
    ranking, target = flow.ranking, flow.target
    item, subject, time = (attrgetter(name) for name in (ranking.item, ranking.subject, ranking.time))
    score, status = attrgetter(ranking.score), attrgetter(flow.filter.column)
    counting = frozenset(flow.filter.values)
    horizon, remembered = ranking.horizon // MICROSECOND, REMEMBERED // MICROSECOND
    shown = [(attrgetter(column.source), column.value) for column in target.columns if column.name not in target.key]

    def build(row: Any, version: tuple[int, int], source_time: int) -> Candidate:
        moment = microseconds(time(row))
        expires_at = moment + horizon
        found = score(row)
        return Candidate(
            *version,
            max(expires_at, source_time + remembered),
            True,
            status(row) in counting,
            item(row),
            subject(row) or "",
            moment,
            expires_at,
            ranking.score_default if found is None else found,
            tuple([value(read(row)) for read, value in shown]),
        )

    return build
