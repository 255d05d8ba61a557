"""A person, as erasure knows one: ids by kind, and the keys of the source rows that are theirs."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from flows.identity import Identity

#: Stands where an id stood that others' texts quoted.
ERASED: Final = "erased"

_NOTHING: Final = "$."  # an expression that no text matches

#: Flow and primary key of a source row, as text.
RowKey = tuple[str, str]


@dataclass(frozen=True)
class Person:
    """``ids`` are UUIDs as PostgreSQL spells them."""

    ids: Mapping[Identity, frozenset[str]] = field(default_factory=dict)
    rows: frozenset[RowKey] = frozenset()

    def also(self, other: Person) -> Person:
        """What is known of either."""
        kinds = [kind for kind in Identity if kind in self.ids or kind in other.ids]
        return Person({kind: self.of(kind) | other.of(kind) for kind in kinds}, self.rows | other.rows)

    def of(self, kind: Identity) -> frozenset[str]:
        """The ids of a kind."""
        return self.ids.get(kind, frozenset())

    def shares_ids_with(self, other: Person) -> bool:
        """Whether an id is one of both."""
        return any(self.of(kind) & other.of(kind) for kind in Identity)

    @property
    def words(self) -> frozenset[str]:
        """What texts and records are searched for: the ids, and those keys of rows that are UUIDs."""
        return frozenset().union(*self.ids.values(), (key for _, key in self.rows if is_uuid(key)))

    def parameters(self) -> dict[str, Any]:
        """Of the statements of :mod:`sinks.erasure.places`."""
        by_kind: dict[str, Any] = {str(kind): sorted(self.of(kind)) for kind in Identity}
        rows = json.dumps([{"flow": flow, "key": key} for flow, key in sorted(self.rows)])
        pattern = "|".join(sorted(self.words)) or _NOTHING
        return by_kind | {"rows": rows, "keys": sorted({key for _, key in self.rows}), "pattern": pattern, "erased": ERASED}

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"ids": {str(kind): sorted(found) for kind, found in self.ids.items()}, "rows": sorted(self.rows)}

    @classmethod
    def parsed(cls, document: Mapping[str, Any]) -> Person:
        """From :meth:`document`."""
        ids = {Identity(kind): frozenset(found) for kind, found in document["ids"].items()}
        return cls(ids, frozenset((flow, key) for flow, key in document["rows"]))

    @classmethod
    def known_by(cls, ids: Iterable[tuple[Identity, str]], rows: Iterable[RowKey] = ()) -> Person:
        """From (kind, id) pairs and keys of rows."""
        by_kind: dict[Identity, set[str]] = defaultdict(set)
        for kind, found in ids:
            by_kind[kind].add(found)
        return cls({kind: frozenset(found) for kind, found in by_kind.items()}, frozenset(rows))


def is_uuid(text: str) -> bool:
    """Whether it is a UUID, spelled as PostgreSQL does."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def quoting(words: Iterable[str]) -> re.Pattern[bytes]:
    """Finds any of the words in the bytes of a record, in whatever case."""
    return re.compile("|".join(sorted(words)).encode() or _NOTHING.encode(), re.IGNORECASE)
