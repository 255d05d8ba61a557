"""Every source table with what goes on happening to it. A table more is an entry more in :data:`SOURCES`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from demo import changes, evaluations
from demo.citizen import (
    application_changes,
    applications,
    behaviour,
    citizen_changes,
    citizens,
    document_changes,
    documents,
    feedback,
)
from demo.databases import DatabaseName
from demo.recipes import Recipes
from demo.warehouse import decision_changes, decisions, golden_record_changes, golden_records, profile_changes, profiles


@dataclass(frozen=True)
class Source:
    """A source table, ``schema.name``, with about ``per_day`` changes a day, drawn from ``recipes``."""

    table: str
    database: DatabaseName
    per_day: int
    recipes: Recipes


EVALUATIONS: Final = Source(evaluations.TABLE, DatabaseName.WAREHOUSE, 50_000, changes.RECIPES)

# Half a million user events a day come in visits of twelve.
SOURCES: Final = (
    EVALUATIONS,
    Source(profiles.TABLE.name, DatabaseName.WAREHOUSE, 12_000, profile_changes.RECIPES),
    Source(golden_records.TABLE.name, DatabaseName.WAREHOUSE, 2_400, golden_record_changes.RECIPES),
    Source(decisions.TABLE.name, DatabaseName.WAREHOUSE, 10_000, decision_changes.RECIPES),
    Source(citizens.TABLE.name, DatabaseName.CITIZEN, 20_000, citizen_changes.RECIPES),
    Source(applications.TABLE.name, DatabaseName.CITIZEN, 5_000, application_changes.RECIPES),
    Source(documents.TABLE.name, DatabaseName.CITIZEN, 15_000, document_changes.RECIPES),
    Source(behaviour.TABLE.name, DatabaseName.CITIZEN, 500_000 // behaviour.EVENTS_PER_VISIT, behaviour.RECIPES),
    Source(feedback.TABLE.name, DatabaseName.CITIZEN, 1_000, feedback.RECIPES),
)


def source_of(table: str) -> Source:
    """Return the source table of that name, ``schema.name``; raises ``KeyError`` whose message lists what there is."""
    for source in SOURCES:
        if source.table == table:
            return source
    raise KeyError(f"nothing happens to {table!r}; there are: {', '.join(source.table for source in SOURCES)}")


def by_table(done: Counter[StrEnum]) -> Counter[str]:
    """Add changes up by the table that they belong to."""
    tables = {kind: source.table for source in SOURCES for kind in source.recipes}
    added: Counter[str] = Counter()
    for kind, count in done.items():
        added[tables[kind]] += count
    return added


def sources_in(database: DatabaseName) -> tuple[Source, ...]:
    """Return the source tables of a database."""
    return tuple(source for source in SOURCES if source.database is database)
