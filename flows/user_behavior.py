"""What citizens do in the portal, counted per citizen, kind of event and day; the events themselves stay where they are."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from flows.batch_model import AggregateFlow
from flows.definition import PersonLink
from flows.identity import Identity
from flows.schedule import Schedule
from flows.tables import Column, Database, Source, SourceColumn, Table, Target
from flows.transforms import default_to

USER_BEHAVIOR: Final = AggregateFlow(
    name="user_behavior",
    title="User behaviour: events counted per citizen, kind and day",
    source=Source(
        table=Table(Database.CITIZEN, "public", "user_events"),
        columns=(
            SourceColumn("event_id", "uuid", required=True),
            SourceColumn("citizen_id", "uuid", required=True, identity=Identity.CITIZEN),
            SourceColumn("event_type", "varchar(50)", required=True),
            SourceColumn("occurred_at", "timestamptz", required=True),
            SourceColumn("duration_ms", "integer"),
            SourceColumn("created_at", "timestamptz", required=True),
        ),
        primary_key="event_id",
        message_key="event_id",
    ),
    target=Target(
        table=Table(Database.WAREHOUSE, "analytics", "user_behavior"),
        key=("citizen_id", "event_type", "activity_date"),
        columns=(
            Column("citizen_id", "uuid", "citizen_id"),
            Column("event_type", "varchar(50)", "event_type"),
            Column("activity_date", "date", "occurred_at"),
            Column("event_count", "integer", "event_id"),
            Column("total_duration_ms", "bigint", "duration_ms", (default_to(Decimal(0)),)),
            Column("first_at", "timestamptz", "occurred_at"),
            Column("last_at", "timestamptz", "occurred_at"),
        ),
    ),
    created="created_at",
    overlap=timedelta(hours=6),
    day="activity_date",
    zone="Asia/Kolkata",
    measures=(("event_count", "count"), ("total_duration_ms", "sum"), ("first_at", "min"), ("last_at", "max")),
    link=PersonLink(column="gr_id", citizen="citizen_id", row="citizen_id"),
    schedule=Schedule("user_behavior", "0 2 * * *", expected=timedelta(minutes=15), lane="citizen", avoids_peak=True),
    rows_per_day=500_000,
)
