"""What of a flow is compared with what: two SELECTs that give equal rows where all is well. Made by :mod:`reconcile.kinds`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol
from uuid import UUID

from flows.model import CapturedFlow
from flows.types import SqlType
from sinks.pool import Session

#: Rows so close to the time when they stop to count that the source's and the target's clock may disagree about it.
EDGE: Final = timedelta(seconds=60)

_TEXTS: Final = ("text", "varchar")
_INTEGERS: Final = ("smallint", "integer", "bigint")


class Excuses(Protocol):
    """What of single rows may differ although both sides are as they must be."""

    async def of(self, source: Session, target: Session, keys: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Key to the columns that may differ."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is compared.

    ``expected`` is a SELECT over the source, ``standing`` one over the target. Both give, in this order: ``key`` of the type
    ``key_type``, by which ranges are cut; ``item``, a text that tells rows of one key apart; then the canonical ``columns``.
    ``judged`` replaces ``standing`` where single keys are looked at, if ranges need a simpler one. ``source_keys`` gives keys of
    the source, as often as it likes, where they cost less than the rows: ranges end at them. Where ``keeps_history`` rows that
    only the target has are no difference, and rows that differ stay as they were written. A null of the source in one of
    ``silent_nulls`` says nothing.

    ``members`` gives for each key (``key``) the primary key of the source rows behind it (``pk``), what changes whenever they do
    (``version``), and how many transactions ago they did (``age``); ``ghosts`` the source rows of which the target
    knows (``pk``, and the value of their message key, ``home``).

    ``pending``: a SELECT over the target that is true while changes are due of which no position tells. ``after``: flows whose
    changes have to be there as well. ``edge``: a SELECT over the source of keys that are not judged, because a row stops to count
    at about the time from ``as_of`` ``until`` the target was read. ``excuses``: see there. ``as_of`` is a parameter of the other
    SELECTs, too: the time as of which rows count.
    """

    flow: CapturedFlow
    key_type: SqlType
    columns: tuple[str, ...]
    expected: str
    standing: str
    judged: str | None = None
    source_keys: str | None = None
    keeps_history: bool = False
    silent_nulls: frozenset[str] = frozenset()
    members: str
    ghosts: str | None = None
    pending: str | None = None
    after: tuple[CapturedFlow, ...] = ()
    edge: str | None = None
    excuses: Excuses | None = None

    @property
    def key_name(self) -> str:
        """The type by which bound keys are cast."""
        return "text" if self.key_type.base in _TEXTS else str(self.key_type)

    @property
    def collated(self) -> str:
        """What makes texts compare byte by byte, as Python's do by code point."""
        return ' COLLATE "C"' if self.key_type.base in _TEXTS else ""

    def spelled(self, key: str) -> str:
        """A key that a person gives, as the databases spell it; raises ``ValueError``."""
        if self.key_type.base == "uuid":
            return str(UUID(key))
        return str(int(key)) if self.key_type.base in _INTEGERS else key

    def order(self, key: str) -> int | str:
        """Keys in the order of the databases."""
        return int(key) if self.key_type.base in _INTEGERS else key
