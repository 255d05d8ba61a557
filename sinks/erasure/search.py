"""Counts what is held of a person, place by place, and erases what is ours to erase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flows.tables import Database
from sinks.erasure import records
from sinks.erasure.person import Person
from sinks.erasure.places import Place, places
from sinks.erasure.records import DEAD_LETTERS, PARKED
from sinks.erasure.stores import Remedy
from sinks.operations.connection import Sessions
from sinks.payload_cipher import PayloadCipher
from sinks.person_links import LOCK_EXCLUSIVE


@dataclass(frozen=True)
class Holding:
    """How many rows of a table are the person's."""

    database: str
    table: str
    remedy: Remedy
    rows: int


@dataclass(frozen=True)
class Survey:
    """What is held. ``unreadable``: records that no key of ours opens, so that nobody knows whose they are."""

    holdings: list[Holding]
    unreadable: int

    def of(self, *remedies: Remedy) -> list[Holding]:
        """Where rows are, of these remedies."""
        return [each for each in self.holdings if each.remedy in remedies and each.rows]

    @property
    def left(self) -> int:
        """Rows in all."""
        return sum(each.rows for each in self.holdings)


def survey(sessions: Sessions, person: Person, cipher: PayloadCipher) -> Survey:
    """Count everything; each table once for each remedy."""
    counted: dict[tuple[str, str, Remedy], int] = {}
    for place in places():
        name = (place.database.value, place.table, place.remedy)
        counted[name] = max(counted.get(name, 0), _count(sessions, place, person))
    unreadable = 0
    for database in Database:
        found = records.find(sessions[database], person, cipher)
        unreadable += found.unreadable
        for table, remedy in ((DEAD_LETTERS, Remedy.EMPTY), (PARKED, Remedy.RELEASE)):
            counted[database.value, table, remedy] = len(found.ids[table])
    return Survey([Holding(*name, rows) for name, rows in counted.items()], unreadable)


def erase(sessions: Sessions, person: Person, cipher: PayloadCipher, actor: str) -> Person:
    """Erase place by place, each in a transaction of its own; returns the person with what opened records told of rows."""
    for database in Database:
        found = records.find(sessions[database], person, cipher)
        person = person.also(Person(rows=frozenset(found.rows)))
        records.erase(sessions[database], found, actor)
    for place in _ours():
        with sessions[place.database].transaction():
            if place.table == "sync.person_link":  # who looks links up while this is done would not see it
                sessions[place.database].execute(LOCK_EXCLUSIVE)
            sessions[place.database].execute(place.erasing.encode(), person.parameters())
    return person


def _ours() -> Iterator[Place]:
    """Links last: by them everything else is found again."""
    mine = [place for place in places() if place.remedy in (Remedy.DELETE, Remedy.REDACT)]
    return iter(sorted(mine, key=lambda place: place.table == "sync.person_link"))


def _count(sessions: Sessions, place: Place, person: Person) -> int:
    row = sessions[place.database].execute(place.counting.encode(), person.parameters()).fetchone()
    assert row is not None, "count answers one row"
    return int(row[0])
