"""What happened to applications, from the portal to the warehouse: one fact for each submission and each change of status."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.append_model import AppendFlow
from flows.definition import PersonLink
from flows.identity import Identity
from flows.reference import Reference
from flows.scheme_map import SCHEME_MAP
from flows.tables import Column, Database, Source, SourceColumn, Table, Target
from flows.transforms import recode

_EVENT_TYPE: Final = recode(
    {
        "submitted": "APPLICATION_SUBMITTED",
        "approved": "APPLICATION_APPROVED",
        "rejected": "APPLICATION_REJECTED",
        "withdrawn": "APPLICATION_WITHDRAWN",
    },
    otherwise="APPLICATION_STATUS_CHANGED",
)

APPLICATION_EVENTS: Final = AppendFlow(
    name="application_events",
    title="Application events: each submission and each change of an application's status",
    source=Source(
        table=Table(Database.CITIZEN, "public", "service_applications"),
        columns=(
            SourceColumn("id", "uuid", required=True, identity=Identity.APPLICATION),
            SourceColumn("citizen_id", "uuid", required=True, identity=Identity.CITIZEN),
            SourceColumn("scheme_id", "uuid", required=True),
            SourceColumn("status", "varchar(50)", required=True),
            SourceColumn("submitted_at", "timestamptz"),
            SourceColumn("approved_at", "timestamptz"),
            SourceColumn("updated_at", "timestamptz", required=True),
        ),
        primary_key="id",
        message_key="id",
        replica_identity_full=True,
    ),
    target=Target(
        table=Table(Database.WAREHOUSE, "decision", "application_events"),
        key=("application_id", "event_type", "status", "event_timestamp"),
        columns=(
            Column("application_id", "uuid", "id"),
            Column("citizen_id", "uuid", "citizen_id"),
            Column("scheme_code", "varchar(50)", "scheme_id"),
            Column("event_type", "varchar(50)", "status", (_EVENT_TYPE,)),
            Column("status", "varchar(50)", "status"),
            Column("event_timestamp", "timestamptz", "updated_at"),
            Column("approval_timestamp", "timestamptz", "approved_at"),
        ),
    ),
    watched="status",
    time="event_timestamp",
    own_times=(("submitted", "submitted_at"), ("approved", "approved_at")),
    only=(("approval_timestamp", "approved"),),
    reference=Reference("scheme_code", SCHEME_MAP.target.table, key="scheme_id", value="scheme_code"),
    wakes="sync_application_events",
    link=PersonLink(column="gr_id", citizen="citizen_id", row="application_id"),
    partitions=5,
    events_per_day=5_000,
    latency=timedelta(seconds=5),
)
