"""The pages of the dead letters: the list with its filter, and one letter with its content masked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from flows.tables import Database
from sinks.operations.letters import Letter, Selection
from views.gathering import Gathering
from views.model import Silence
from views.page import NothingThereError, Wish
from views.records import Masked, Records
from views.sources import Sources

STATUSES: Final = ("open", "replayed", "closed", "discarded")
#: Letters of one page and database.
LIMIT: Final = 100
_GREATEST: Final = 2**63 - 1


@dataclass(frozen=True)
class Choice:
    """What the reader filters by; an empty text matches all. ``after``: behind the letter of that number."""

    flow: str
    status: str
    reason: str
    after: int


@dataclass(frozen=True)
class ListedLetter:
    """A letter and the database that holds it: numbers are unique in one database only."""

    database: str
    letter: Letter


@dataclass(frozen=True)
class LettersView:
    """``open_by_reason``: flow → reason → open letters. ``more``: the next page of a database begins behind that letter."""

    at: datetime
    silences: tuple[Silence, ...]
    chosen: Choice
    letters: tuple[ListedLetter, ...]
    more: Mapping[str, int]
    open_by_reason: Mapping[str, Mapping[str, int]]
    flows: tuple[str, ...]
    statuses: tuple[str, ...] = STATUSES


@dataclass(frozen=True)
class LetterView:
    """One letter; ``key`` and ``value`` as text with every value masked."""

    at: datetime
    silences: tuple[Silence, ...]
    database: str
    letter: Letter
    key: str
    value: str
    headers: tuple[tuple[str, str], ...]
    problem: str | None


class LettersPage:
    """Looks for letters in both databases."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def look(self, wish: Wish) -> LettersView:
        """Filtered by ``flow``, ``status`` (without any: open), ``reason``, of ``database``, behind the letter ``after``."""
        found, chosen = Gathering(), _choice(wish)
        selection = Selection(
            chosen.flow or None, chosen.status or None, chosen.reason or None, limit=LIMIT + 1, after=chosen.after
        )
        databases = self._databases(wish)
        read, counts = await asyncio.gather(
            found.of_each("letters", partial(self._records.letters, selection=selection), databases),
            found.of_each("counts", self._records.open_letters, databases),
        )
        letters = [ListedLetter(database.value, each) for database, those in read.items() for each in those[:LIMIT]]
        more = {database.value: those[LIMIT - 1].id for database, those in read.items() if len(those) > LIMIT}
        by_flow = {flow: reasons for those in counts.values() for flow, reasons in those.items()}
        names = tuple(flow.name for flow in self._sources.flows)
        return LettersView(self._sources.clock(), found.silences, chosen, tuple(letters), more, by_flow, names)

    async def look_at_one(self, wish: Wish) -> LetterView:
        """The letter ``id`` of ``database``; raises :class:`views.protocols.Unanswered`."""
        for database in Database:
            if database.value == wish["database"] and (masked := await self._records.letter(database, _number(wish["id"]))):
                return _letter_view(self._sources.clock(), database, masked)
        raise NothingThereError("There is no such dead letter.")

    @property
    def _records(self) -> Records:
        return self._sources.records

    def _databases(self, wish: Wish) -> list[Database]:
        """Where a flow's letters are; without a flow, both."""
        flow = next((each for each in self._sources.flows if each.name == wish.get("flow")), None)
        named = [each for each in Database if each.value == wish.get("database")]
        return [flow.target.table.database] if flow else named or list(Database)


def _choice(wish: Wish) -> Choice:
    status = wish.get("status", "open")
    return Choice(
        wish.get("flow", ""),
        status if status in STATUSES else "",
        wish.get("reason", "").strip(),
        _number(wish.get("after", "0")),
    )


def _number(text: str) -> int:
    """What is no number that a database knows stands for none."""
    return min(int(text), _GREATEST) if text.isascii() and text.isdigit() else 0


def _letter_view(at: datetime, database: Database, masked: Masked) -> LetterView:
    return LetterView(
        at, (), database.value, masked.letter, _pretty(masked.key), _pretty(masked.value), masked.headers, masked.problem
    )


def _pretty(part: object) -> str:
    return msgspec.json.format(msgspec.json.encode(part), indent=2).decode()
