"""Every place of both databases where a person may be, as SQL: what of a table is theirs, and what erases it.

Derived from the definitions and the list of stores; identifiers come from nowhere else, values are bound
(:meth:`~sinks.erasure.person.Person.parameters`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flows.batch_registry import ALL_FLOWS
from flows.definition import Definition
from flows.identity import Identity
from flows.personal import PersonalTable, follows_deletes, personal_notices, personal_source, personal_target
from flows.tables import Database
from sinks.erasure.stores import STORES, Holds, Remedy, Store


@dataclass(frozen=True)
class Place:
    """Rows ``t`` of ``table`` under ``condition``. ``changes``: what SET is to do to them where they are not deleted."""

    database: Database
    table: str
    remedy: Remedy
    condition: str
    changes: str | None = None

    @property
    def counting(self) -> str:
        """How many rows."""
        return f"SELECT count(*) FROM {self.table} AS t WHERE {self.condition}"

    @property
    def erasing(self) -> str:
        """The statement that erases them."""
        if self.changes is None:
            return f"DELETE FROM {self.table} AS t WHERE {self.condition}"
        return f"UPDATE {self.table} AS t SET {self.changes} WHERE {self.condition}"


def places() -> tuple[Place, ...]:
    """All but those whose records must be opened to tell whose they are (:mod:`sinks.erasure.records`)."""
    found = [place for flow in ALL_FLOWS for place in _of_flow(flow)]
    found += [_of_store(store, database) for store in STORES if _by_columns(store) for database in Database]
    return tuple(dict.fromkeys(found))


def _of_flow(flow: Definition) -> Iterator[Place]:
    if source := personal_source(flow):
        yield _of_table(source, Remedy.SOURCE, identified(source.identities))
    if target := personal_target(flow):
        remedy = Remedy.FLOW if follows_deletes(flow) else Remedy.DELETE
        yield _of_table(target, remedy, identified(target.identities))
    if notices := personal_notices(flow):
        # A notice about a row that has an id of its own names it in its metadata.
        yield _of_table(notices, Remedy.DELETE, f"({identified(notices.identities)} OR t.metadata::text ~* %(pattern)s)")


def _of_table(found: PersonalTable, remedy: Remedy, condition: str) -> Place:
    return Place(found.table.database, found.table.qualified, remedy, condition)


def _by_columns(store: Store) -> bool:
    return store.remedy not in (None, Remedy.EMPTY, Remedy.RELEASE)


def _of_store(store: Store, database: Database) -> Place:
    assert store.remedy is not None, "asked for stores with people only"
    conditions = [
        _holding(store, name, held) for name, held in store.columns.items() if held not in (Holds.NOTHING, Holds.RECORD)
    ]
    condition = f"({' OR '.join(conditions)})"
    if store.only is not None:
        condition += f" AND {store.only}"
    changes = ", ".join(_redacted(name) for name, held in store.columns.items() if held is Holds.WORDS)
    return Place(database, f"sync.{store.table}", store.remedy, condition, changes if store.remedy is Remedy.REDACT else None)


def _holding(store: Store, name: str, held: Identity | Holds) -> str:
    if isinstance(held, Identity):
        return identified({name: held})
    if held is Holds.WORDS:
        return f"t.{name}::text ~* %(pattern)s"
    return _OF_ROWS.format(name=name) if "flow" in store.columns else f"t.{name} = ANY(%(keys)s)"


_OF_ROWS: Final = "(t.flow, t.{name}) IN (SELECT r.flow, r.key FROM json_to_recordset(%(rows)s::json) AS r(flow text, key text))"


def identified(identities: Mapping[str, Identity]) -> str:
    """Whether one of the columns of a row ``t`` has an id of the person."""
    return f"({' OR '.join(f't.{name} = ANY(%({identity})s::uuid[])' for name, identity in identities.items())})"


#: Columns of our own that are JSON; ids stand in it as texts, so that it stays JSON without them.
_JSON: Final = frozenset({"parameters", "cursor", "progress"})


def _redacted(name: str) -> str:
    cast = "::jsonb" if name in _JSON else ""
    return f"{name} = regexp_replace(t.{name}::text, %(pattern)s, %(erased)s, 'gi'){cast}"
