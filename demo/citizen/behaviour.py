"""Rows of ``public.user_events``: what users do in the portal, visit by visit."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from psycopg import sql

from demo.citizen.citizens import NOBODY, draw_user
from demo.citizen.citizens import TABLE as CITIZENS
from demo.identifiers import drawn_identifier, identifier
from demo.moments import draw_moment
from demo.recipes import Recipe, Recipes, Situation
from demo.statements import KeyedTable, Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from demo.population import Population

EVENT_TYPES: Final = ("page_view", "page_view", "page_view", "search", "eligibility_check", "form_step", "login", "download")
EVENTS_PER_VISIT: Final = 12
STEP: Final = timedelta(seconds=25)

# Some devices hand in what happened when they are on line again.
LATE_SHARE: Final = 0.05
LATE_BY: Final = timedelta(hours=36)
NO_DURATION_SHARE: Final = 0.1


class UserEvent(NamedTuple):
    """One event; fields are the column names, ``properties`` is JSON text."""

    event_id: UUID
    citizen_id: UUID
    event_type: str
    occurred_at: datetime
    duration_ms: int | None
    properties: str | None
    created_at: datetime


TABLE: Final = KeyedTable("public.user_events", "event_id", UserEvent._fields)


class VisitChange(StrEnum):
    """One thing that users do to ``public.user_events``."""

    VISIT = "visit"
    LATE_VISIT = "late visit"


def user_events(population: Population, count: int, now: datetime) -> Iterator[UserEvent]:
    """``count`` events of visits within the 60 days before ``now``."""
    rng = Random(f"user events/{population.seed}")  # noqa: S311 repeatable on purpose
    citizen_id, begun, late = draw_user(rng, population)[0], now, timedelta(0)
    for position in range(count):
        step = position % EVENTS_PER_VISIT
        if step == 0:
            citizen_id, begun = draw_user(rng, population)[0], draw_moment(rng, now)
            late = LATE_BY if rng.random() < LATE_SHARE else timedelta(0)
        occurred_at = min(now, begun + step * STEP)
        event = _event(rng, identifier("event", population.seed, position), citizen_id, occurred_at)
        yield event._replace(created_at=min(now, occurred_at + late))


def _event(rng: Random, identity: UUID, citizen_id: UUID, occurred_at: datetime) -> UserEvent:
    return UserEvent(
        event_id=identity,
        citizen_id=citizen_id,
        event_type=rng.choice(EVENT_TYPES),
        occurred_at=occurred_at,
        duration_ms=None if rng.random() < NO_DURATION_SHARE else rng.randrange(50, 120_000),
        properties=rng.choice((None, json.dumps({"page": f"/schemes/{rng.randrange(200)}", "lang": "hi"}))),
        created_at=occurred_at,
    )


def _visit(situation: Situation, late: timedelta = timedelta(0)) -> tuple[Step, ...]:
    rng, now = situation.rng, situation.now
    began = now - late - EVENTS_PER_VISIT * STEP
    moments = [began + step * STEP for step in range(EVENTS_PER_VISIT)]
    events = [_event(rng, drawn_identifier(rng, now), NOBODY, moment)._asdict() for moment in moments]
    values = {"events": json.dumps(events, default=str), "now": now, "place": CITIZENS.draw_place(rng)}
    return (Step(_INSERT, values),)


_INSERT: Final = sql.SQL("""
INSERT INTO {events} (event_id, citizen_id, event_type, occurred_at, duration_ms, properties, created_at)
SELECT event.event_id, parent.id, event.event_type, event.occurred_at, event.duration_ms,
    (event.properties #>> '{{}}')::jsonb, %(now)s
FROM {citizens} AS parent, json_populate_recordset(NULL::{events}, %(events)s::json) AS event
WHERE parent.id = {picked}
""").format(events=TABLE.quoted, citizens=CITIZENS.quoted, picked=CITIZENS.picked())

RECIPES: Final[Recipes] = {
    VisitChange.VISIT: Recipe(19, _visit),
    VisitChange.LATE_VISIT: Recipe(1, lambda situation: _visit(situation, LATE_BY)),
}
