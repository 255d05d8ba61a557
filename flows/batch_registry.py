"""All flows that batch jobs alone carry. One exists when it stands here."""

from __future__ import annotations

from typing import Final

from flows.batch_model import BatchFlow
from flows.feedback import FEEDBACK
from flows.scheme_master import SCHEME_MASTER
from flows.tables import Database
from flows.user_behavior import USER_BEHAVIOR

BATCH_FLOWS: Final[tuple[BatchFlow, ...]] = (SCHEME_MASTER, USER_BEHAVIOR, FEEDBACK)


def batch_flows_into(database: Database) -> tuple[BatchFlow, ...]:
    """Those whose target is that database."""
    return tuple(flow for flow in BATCH_FLOWS if flow.target.table.database is database)
