"""What else is known of a person by the ids that an operator gives: the ids that go with them, and the keys of their rows.

Never their family: it is others', too. Who wants all of a family erased names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flows.batch_registry import ALL_FLOWS
from flows.identity import Identity
from flows.personal import PersonalTable, personal_notices, personal_source, personal_target
from flows.profile_summary import PROFILE_SUMMARY
from flows.tables import Database
from sinks.erasure.person import Person
from sinks.erasure.places import identified
from sinks.operations.connection import Sessions

_LINKS: Final = """
    SELECT citizen_id::text, gr_id::text FROM sync.person_link
    WHERE citizen_id = ANY(%(citizen)s::uuid[]) OR gr_id = ANY(%(golden_record)s::uuid[])
    """
_ROWS: Final = f"""
    SELECT flow, key FROM sync.unlinked WHERE citizen_id = ANY(%(citizen)s::uuid[])
    UNION SELECT '{PROFILE_SUMMARY.name}', profile_id::text FROM sync.profile_member
          WHERE gr_id = ANY(%(golden_record)s::uuid[]) OR family_id = ANY(%(family)s::uuid[])
    """


def everything_of(sessions: Sessions, person: Person) -> Person:
    """The person with all that the databases know to be theirs."""
    known = _with_applications(sessions, _with_links(sessions, person))
    return known.also(Person(rows=_own_keys(known) | _keys(sessions, known)))


def _with_links(sessions: Sessions, person: Person) -> Person:
    """Also what is linked to what is linked: two citizens of the portal may be one person."""
    while True:
        found = [row for database in Database for row in sessions[database].execute(_LINKS, person.parameters()).fetchall()]
        ids = [pair for citizen, record in found for pair in ((Identity.CITIZEN, citizen), (Identity.GOLDEN_RECORD, record))]
        more = person.also(Person.known_by(ids))
        if more == person:
            return person
        person = more


def _with_applications(sessions: Sessions, person: Person) -> Person:
    for found in _tables():
        for name, identity in found.identities.items():
            if identity is Identity.APPLICATION:
                person = person.also(Person.known_by((identity, each) for each in _values(sessions, found, name, person)))
    return person


def _own_keys(person: Person) -> frozenset[tuple[str, str]]:
    """Rows whose primary key is one of the ids."""
    kinds = {flow.name: flow.source.column(flow.source.primary_key).identity for flow in ALL_FLOWS}
    return frozenset((name, key) for name, kind in kinds.items() if kind is not None for key in person.of(kind))


def _keys(sessions: Sessions, person: Person) -> frozenset[tuple[str, str]]:
    keys = {(found.flow, key) for found in _tables() if found.key for key in _values(sessions, found, found.key, person)}
    for database in Database:
        keys.update(sessions[database].execute(_ROWS, person.parameters()).fetchall())
    return frozenset(keys)


def _tables() -> Iterable[PersonalTable]:
    made = [make(flow) for flow in ALL_FLOWS for make in (personal_source, personal_target, personal_notices)]
    return [found for found in made if found is not None]


def _values(sessions: Sessions, found: PersonalTable, column: str, person: Person) -> set[str]:
    statement = (
        f"SELECT DISTINCT t.{column}::text FROM {found.table.qualified} AS t"
        f" WHERE {identified(found.identities)} AND t.{column} IS NOT NULL"
    )
    rows = sessions[found.table.database].execute(statement.encode(), person.parameters()).fetchall()
    return {value for (value,) in rows}
