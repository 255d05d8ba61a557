"""What batch jobs must leave, row by row in Python: no SQL of ours, no aggregate of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

INDIA_AHEAD = timedelta(hours=5, minutes=30)


@dataclass(frozen=True)
class UserEvent:
    """A row of `user_events`."""

    citizen_id: UUID
    event_type: str
    occurred_at: datetime
    duration_ms: int | None


#: Citizen, kind of event and day in India.
Group = tuple[UUID, str, date]


def user_behavior(events: Iterable[UserEvent]) -> dict[Group, tuple[int, int, datetime, datetime]]:
    """Number of events, milliseconds in all, first and last time of each group."""
    found: dict[Group, tuple[int, int, datetime, datetime]] = {}
    for event in events:
        group = (event.citizen_id, event.event_type, (event.occurred_at + INDIA_AHEAD).date())
        count, total, first, last = found.get(group, (0, 0, event.occurred_at, event.occurred_at))
        found[group] = (
            count + 1,
            total + (event.duration_ms or 0),
            min(first, event.occurred_at),
            max(last, event.occurred_at),
        )
    return found


def schemes(source: Iterable[Mapping[str, Any]], before: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The portal's schemes by code, but for the id of new ones; `before`: what stood there, `source`: the master table's rows."""
    found = {row["code"]: dict(row) | {"status": "INACTIVE"} for row in before}
    for row in source:
        if row["status"] == "ACTIVE":
            known = found.get(row["scheme_code"])
            found[row["scheme_code"]] = {
                "id": known["id"] if known else row["scheme_id"],
                "code": row["scheme_code"],
                "name": row["scheme_name"],
                "description": row["description"],
                "category": row["category"],
                "department": row["department_name"],
                "eligibility_criteria": row["eligibility_criteria"],
                "benefits": row["benefits"],
                "documents_required": row["documents_required"],
                "status": "ACTIVE",
                "last_updated": row["updated_at"],
            }
    return found


def feedback(source: Iterable[Mapping[str, Any]], codes: Mapping[UUID, str]) -> dict[UUID, tuple[Any, ...]]:
    """Rows of `feedback_analytics` by id, without gr_id."""
    return {
        row["id"]: (
            row["citizen_id"],
            codes.get(row["scheme_id"]),
            row["feedback_type"],
            row["rating"],
            row["comment"],
            row["created_at"],
        )
        for row in source
    }
