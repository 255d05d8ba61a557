"""What decision.application_events must hold but for gr_id, from the history of service_applications."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tests.oracle.changes import Change, Row

# Event type, and the column of its own time.
_TYPES = {
    "submitted": ("APPLICATION_SUBMITTED", "submitted_at"),
    "approved": ("APPLICATION_APPROVED", "approved_at"),
    "rejected": ("APPLICATION_REJECTED", "updated_at"),
    "withdrawn": ("APPLICATION_WITHDRAWN", "updated_at"),
}
_OTHER = ("APPLICATION_STATUS_CHANGED", "updated_at")


class Event(NamedTuple):
    """A row of the target; the first four columns are its key."""

    application_id: UUID
    event_type: str
    status: str
    event_timestamp: datetime
    citizen_id: UUID
    scheme_code: str
    approval_timestamp: datetime | None


def application_events(changes: Iterable[Change], codes: Mapping[UUID, str]) -> set[Event]:
    """One event per insert and per change of status; facts equal in the whole key count as one, the first.

    `codes`: the schemes' codes by their id in the portal. An application whose scheme is not among them has no event yet.
    """
    events: dict[tuple[Any, ...], Event] = {}
    for change in changes:
        if change.new is not None and _is_a_fact(change.old, change.new) and change.new["scheme_id"] in codes:
            event = _event(change.new, codes[change.new["scheme_id"]])
            events.setdefault(event[:4], event)
    return set(events.values())


def _is_a_fact(old: Row | None, new: Row) -> bool:
    return old is None or (old["id"], old["status"]) != (new["id"], new["status"])


def _event(row: Row, code: str) -> Event:
    event_type, column = _TYPES.get(row["status"], _OTHER)
    at = row["updated_at"] if row[column] is None else row[column]
    approved_at = row["approved_at"] if event_type == "APPLICATION_APPROVED" else None
    return Event(row["id"], event_type, row["status"], at, row["citizen_id"], code, approved_at)
