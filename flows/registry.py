"""All flows. A flow exists when it stands here."""

from __future__ import annotations

from typing import Final

from flows.application_decisions import APPLICATION_DECISIONS
from flows.application_events import APPLICATION_EVENTS
from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.document_metadata import DOCUMENT_METADATA
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.golden_records import GOLDEN_RECORDS
from flows.loops import checked
from flows.ml_alerts import ML_ALERTS
from flows.model import CapturedFlow, Flow
from flows.profile_summary import PROFILE_SUMMARY
from flows.profile_updates import PROFILE_UPDATES
from flows.scheme_map import SCHEME_MAP
from flows.tables import Database

#: Flows whose writes another flow hears as changes of its source. Wanted: what a citizen says of himself comes back to the portal
#: as profile data, masked. It ends there.
SECOND_HOPS: Final = ((PROFILE_UPDATES.name, GOLDEN_RECORDS.name),)

_ALL: Final = (
    GOLDEN_RECORDS,
    PROFILE_SUMMARY,
    ELIGIBILITY_HINTS,
    APPLICATION_DECISIONS,
    BENEFIT_FORECASTS,
    ML_ALERTS,
    PROFILE_UPDATES,
    SCHEME_MAP,
    APPLICATION_EVENTS,
    DOCUMENT_METADATA,
)
FLOWS: Final[tuple[Flow, ...]] = checked(_ALL, SECOND_HOPS)


def flow_named(name: str) -> Flow:
    """The flow of that name; raises ``KeyError`` whose message lists the names that exist."""
    for flow in FLOWS:
        if flow.name == name:
            return flow
    raise KeyError(f"no flow {name!r}; there are: {', '.join(flow.name for flow in FLOWS)}")


def flows_from(database: Database) -> tuple[CapturedFlow, ...]:
    """Flows whose source is that database."""
    return tuple(flow for flow in FLOWS if isinstance(flow, CapturedFlow) and flow.source.table.database is database)


def flows_into(database: Database) -> tuple[Flow, ...]:
    """Flows whose target is that database."""
    return tuple(flow for flow in FLOWS if flow.target.table.database is database)
