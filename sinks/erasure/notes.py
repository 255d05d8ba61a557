"""Erasures that have not come to their end: what is known of the person is kept until nothing of it is left elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from psycopg.types.json import Jsonb

from sinks.erasure.person import Person
from sinks.operations.audit import record
from sinks.operations.connection import Connection

#: What the audit calls it.
DEED: Final = "purge subject"

_ALONE: Final = "LOCK TABLE sync.erasure IN SHARE ROW EXCLUSIVE MODE"


@dataclass(frozen=True)
class Erasure:
    """``number`` stands for the person in the audit, which must not hold ids."""

    number: int
    person: Person

    @property
    def subject(self) -> str:
        """For the audit."""
        return f"erasure {self.number}"


def noted(connection: Connection, person: Person) -> Person:
    """The person with what unfinished erasures know of them."""
    for known in _all(connection):
        if known.person.shares_ids_with(person):
            person = person.also(known.person)
    return person


def begin(connection: Connection, person: Person, actor: str, reason: str) -> Erasure:
    """Keep what is known, in one line with earlier erasures of the same person."""
    with connection.transaction():
        connection.execute(_ALONE)
        earlier = [known for known in _all(connection) if known.person.shares_ids_with(person)]
        for known in earlier:
            person = person.also(known.person)
        connection.execute("DELETE FROM sync.erasure WHERE id = ANY(%s)", ([known.number for known in earlier[1:]],))
        number = _kept(connection, earlier[0].number if earlier else None, person, actor, reason)
        erasure = Erasure(number, person)
        record(connection, actor, DEED, f"{erasure.subject}, begun", reason)
    return erasure


def end(connection: Connection, erasure: Erasure) -> None:
    """Nothing is left: forget the ids."""
    connection.execute("DELETE FROM sync.erasure WHERE id = %s", (erasure.number,))


def _kept(connection: Connection, number: int | None, person: Person, actor: str, reason: str) -> int:
    if number is not None:
        connection.execute("UPDATE sync.erasure SET person = %s WHERE id = %s", (Jsonb(person.document()), number))
        return number
    statement = "INSERT INTO sync.erasure (begun_by, reason, person) VALUES (%s, %s, %s) RETURNING id"
    row = connection.execute(statement, (actor, reason, Jsonb(person.document()))).fetchone()
    assert row is not None, "an INSERT returns its row"
    return int(row[0])


def _all(connection: Connection) -> list[Erasure]:
    rows = connection.execute("SELECT id, person FROM sync.erasure ORDER BY id").fetchall()
    return [Erasure(number, Person.parsed(person)) for number, person in rows]
