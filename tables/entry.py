"""An entry: what the table keeps of one source row, live or removed. Bytes that compare and slice without being decoded.

Keys are 25 bytes: a prefix that tells entries from what else the store holds, group (the UUID's 16) and primary key (8,
biased so that bytes sort as numbers). Values begin with fixed fields, big-endian, laid out so that what is compared stands
side by side; then item and subject; then the mapped target columns as the inside of a JSON object, ready to be sent.
"""

from __future__ import annotations

import struct
from datetime import timedelta
from typing import Final

from flows.moments import MICROSECOND

#: How long a row is remembered after its last change: CDC topics keep 7 days, with room.
REMEMBERED: Final = timedelta(days=35)

PREFIX: Final = b"c"
GROUP: Final = slice(1, 17)
IDENTITY: Final = slice(17, 25)
LIVE: Final = 1
COUNTS: Final = 2

_BIAS: Final = 2**63
# flags, score, time, version, expires_at, forget_at, length of item, length of item and subject
_FIXED: Final = struct.Struct(">BIQ12sQQHH")
SCORE: Final = slice(1, 5)
TIME: Final = slice(5, 13)
VERSION: Final = slice(13, 25)
EXPIRES_AT: Final = slice(25, 33)
FORGET_AT: Final = slice(33, 41)
ITEM_LENGTH: Final = slice(41, 43)
NAMES_LENGTH: Final = slice(43, 45)
#: Where the two lengths begin; a slice from here to the end of the subject names one place (item and subject) exactly.
PLACE: Final = 41
NAMES: Final = 45

#: Orders the versions of one row: epoch of the source and LSN, as bytes.
Version = bytes
LOWEST: Final[Version] = bytes(12)


def version_of(epoch: int, lsn: int) -> Version:
    """The version of a change."""
    return epoch.to_bytes(4, "big") + lsn.to_bytes(8, "big")


def group_key(group: str) -> bytes:
    """The 16 bytes of a group's UUID."""
    return bytes.fromhex(group.replace("-", ""))


def is_group(text: str) -> bool:
    """Whether :func:`group_key` makes 16 bytes of it."""
    try:
        return len(group_key(text)) == GROUP.stop - GROUP.start
    except ValueError:
        return False


def entry_key(group: str, identity: int) -> bytes:
    """Sorts by group, then by primary key."""
    return b"c%b%b" % (bytes.fromhex(group.replace("-", "")), (identity + _BIAS).to_bytes(8, "big"))


def identity_of(key: bytes) -> int:
    """The primary key of an entry's row."""
    return int.from_bytes(key[IDENTITY], "big") - _BIAS


def live(  # noqa: PLR0913 - the fields of the layout
    version: Version,
    *,
    counts: bool,
    score: int,
    time: int,
    expires_at: int,
    forget_at: int,
    item: str,
    subject: str,
    shown: bytes,
) -> bytes:
    """The entry of a row that stands. Times in microseconds since 1970, UTC; ``score`` scaled to an integer ≥ 0."""
    name, other = item.encode(), subject.encode()
    flags, length = LIVE | COUNTS if counts else LIVE, len(name)
    fixed = _FIXED.pack(flags, score, time + _BIAS, version, max(expires_at, 0), max(forget_at, 0), length, length + len(other))
    return b"".join((fixed, name, other, shown))


def removed(version: Version, source_time: int, standing: bytes | None = None) -> bytes:
    """The trace of a row that is gone; it outlives every older change that may still be sent again."""
    forget_at = source_time + REMEMBERED // MICROSECOND
    if standing is not None:
        forget_at = max(forget_at, forget_time(standing))
    return _FIXED.pack(0, 0, 0, version, 0, max(forget_at, 0), 0, 0)


def renumbered(entry: bytes, version: Version) -> bytes:
    """The same content under another version."""
    return entry[: VERSION.start] + version + entry[VERSION.stop :]


def is_live(entry: bytes) -> bool:
    """Whether the row stands."""
    return bool(entry[0] & LIVE)


def forget_time(entry: bytes) -> int:
    """When the entry itself may go, in microseconds."""
    return int.from_bytes(entry[FORGET_AT], "big")


def due_time(entry: bytes, now: int) -> int:
    """When time alone changes something next: it stops counting, or may be forgotten."""
    if entry[0] == LIVE | COUNTS:
        expires_at = int.from_bytes(entry[EXPIRES_AT], "big")
        if expires_at >= now:
            return expires_at
    return forget_time(entry)


def item_of(entry: bytes) -> bytes:
    """The item, UTF-8; bytes sort as code points do."""
    return entry[NAMES : NAMES + int.from_bytes(entry[ITEM_LENGTH], "big")]


def shown_of(entry: bytes) -> bytes:
    """The mapped target columns: the inside of a JSON object."""
    return entry[NAMES + int.from_bytes(entry[NAMES_LENGTH], "big") :]


def with_shown(entry: bytes, shown: bytes) -> bytes:
    """The same entry with other mapped columns."""
    return entry[: len(entry) - len(shown_of(entry))] + shown
