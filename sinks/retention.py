"""Forgetting what has been settled for long: each kind by its own age, a batch at a time.

What later work still asks for stays, however old: the newest runs of each job, by which slots are caught up and windows begin,
and the newest reports of each flow, on which a light run builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from settings import Retention
from sinks.pool import Session

#: Rows that one statement removes: a short one, also after a long stop.
BATCH: Final = 5_000
#: Runs of each job, and reports of each flow, that stay.
NEWEST: Final = 30


def _old(table: str, ended: str, condition: str = "true") -> str:
    return f"""
        DELETE FROM sync.{table} WHERE ctid = ANY (ARRAY(
            SELECT o.ctid FROM sync.{table} AS o
            WHERE o.{ended} < now() - %(kept)s AND {condition} ORDER BY o.{ended} LIMIT %(batch)s))
        """


def _not_among_newest(table: str, of: str, order: str, and_of: str = "true") -> str:
    return f"""o.ctid <> ALL (ARRAY(SELECT n.ctid FROM sync.{table} AS n
                                    WHERE n.{of} = o.{of} AND {and_of} ORDER BY n.{order} DESC LIMIT {NEWEST}))"""


_RUNS: Final = _old(
    "job_run",
    "ended_at",
    f"""{_not_among_newest("job_run", "job", "scheduled_for")}
        AND {_not_among_newest("job_run", "job", "scheduled_for", "n.state = 'succeeded'")}""",
)
_REPORTS: Final = _old(
    "reconciliation",
    "updated_at",
    f"""o.state <> 'running' AND {_not_among_newest("reconciliation", "flow", "run", "n.state = 'done'")}""",
)
_LETTERS: Final = _old("dead_letter", "closed_at", "o.status IN ('closed', 'discarded')")
_REVIEWS: Final = _old("review_queue", "resolved_at")
_LOSSES: Final = _old("upstream_loss", "resolved_at")
_MAINTENANCE: Final = _old("maintenance", "ends_at")
_AUDIT: Final = "SELECT sync.forget_audit(%(kept)s, %(batch)s)"


def statements(retention: Retention) -> Mapping[str, timedelta]:
    """Every statement with the age from which on it removes."""
    runs = timedelta(days=retention.run_days)
    return {
        _RUNS: runs,
        _REVIEWS: runs,
        _LOSSES: runs,
        _MAINTENANCE: runs,
        _REPORTS: timedelta(days=retention.report_days),
        _LETTERS: timedelta(days=retention.letter_days),
        _AUDIT: timedelta(days=retention.audit_days),
    }


async def forget(session: Session, retention: Retention) -> None:
    """Remove a batch of each kind; every statement is a transaction of its own."""
    for statement, kept in statements(retention).items():
        await session.run(statement, {"kept": kept, "batch": BATCH})
