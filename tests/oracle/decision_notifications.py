"""Which notifications of decisions there must be, from the history of decision.applications since the connector runs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tests.oracle.changes import Change, Row


class Notice(NamedTuple):
    """What a notification is about; it exists once, however often the same came about."""

    application_id: UUID
    decision: str
    status: str
    decision_timestamp: datetime | None


def decision_notifications(changes: Iterable[Change]) -> set[Notice]:
    """One for every create and for every change of decision or status."""
    return {
        Notice(*(change.new[column] for column in Notice._fields))
        for change in changes
        if change.new is not None and (change.old is None or _outcome(change.old) != _outcome(change.new))
    }


def _outcome(row: Row) -> tuple[Any, ...]:
    # Another key is another application: its row is a new one.
    return row["application_id"], row["decision"], row["status"]
