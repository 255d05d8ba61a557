"""How both databases do, as the overview shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flows.tables import Database
from views.answers import Answer
from views.facts import Facts
from views.members import ALIVE
from views.model import DatabaseLine

if TYPE_CHECKING:
    from sinks.operations.health import Health

AWAY: Final = "away"


def database_lines(facts: Facts) -> tuple[DatabaseLine, ...]:
    """One line each, also for one that does not answer: then what was known last."""
    return tuple(_line(database, answer) for database, answer in facts.health.items())


def _line(database: Database, answer: Answer[Health]) -> DatabaseLine:
    known = answer.value
    beat = known.heartbeat_at if known else None
    return DatabaseLine(
        name=database.value,
        state=AWAY if answer.problem else ALIVE,
        version=known.version if known else None,
        started_at=known.started_at if known else None,
        standby=known.standby if known else None,
        connections=known.connections if known else None,
        heartbeat_at=beat,
        heartbeat_seconds=max((known.now - beat).total_seconds(), 0.0) if known and beat else None,
    )
