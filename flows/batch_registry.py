"""All flows that batch jobs alone carry. One exists when it stands here."""

from __future__ import annotations

from typing import Final

from flows.batch_model import BatchFlow
from flows.definition import Definition
from flows.feedback import FEEDBACK
from flows.registry import FLOWS
from flows.scheme_master import SCHEME_MASTER
from flows.tables import Database
from flows.user_behavior import USER_BEHAVIOR

BATCH_FLOWS: Final[tuple[BatchFlow, ...]] = (SCHEME_MASTER, USER_BEHAVIOR, FEEDBACK)
#: Together with those that events carry.
ALL_FLOWS: Final[tuple[Definition, ...]] = (*FLOWS, *BATCH_FLOWS)


def all_flows_into(database: Database) -> tuple[Definition, ...]:
    """Flows of either way whose target is that database."""
    return tuple(flow for flow in ALL_FLOWS if flow.target.table.database is database)
