"""What citizens say of schemes and of the portal, to the warehouse, once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.batch_model import NewRowsFlow
from flows.definition import PersonLink
from flows.identity import Identity
from flows.reference import Reference
from flows.schedule import After, Schedule
from flows.scheme_map import SCHEME_MAP
from flows.tables import Column, Database, Source, SourceColumn, Table, Target

FEEDBACK: Final = NewRowsFlow(
    name="feedback",
    title="Feedback: what citizens say",
    source=Source(
        table=Table(Database.CITIZEN, "public", "feedback"),
        columns=(
            SourceColumn("id", "uuid", required=True),
            SourceColumn("citizen_id", "uuid", required=True, identity=Identity.CITIZEN),
            SourceColumn("scheme_id", "uuid"),
            SourceColumn("feedback_type", "varchar(50)"),
            SourceColumn("rating", "integer"),
            SourceColumn("comment", "text"),
            SourceColumn("created_at", "timestamptz", required=True),
        ),
        primary_key="id",
        message_key="id",
    ),
    target=Target(
        table=Table(Database.WAREHOUSE, "analytics", "feedback_analytics"),
        key=("feedback_id",),
        columns=(
            Column("feedback_id", "uuid", "id"),
            Column("citizen_id", "uuid", "citizen_id"),
            Column("scheme_code", "varchar(50)", "scheme_id"),
            Column("feedback_type", "varchar(50)", "feedback_type"),
            Column("rating", "integer", "rating"),
            Column("comment", "text", "comment"),
            Column("created_at", "timestamptz", "created_at"),
        ),
    ),
    created="created_at",
    overlap=timedelta(days=1),
    reference=Reference("scheme_code", SCHEME_MAP.target.table, key="scheme_id", value="scheme_code"),
    link=PersonLink(column="gr_id", citizen="citizen_id", row="feedback_id"),
    schedule=Schedule(
        "feedback",
        "30 2 * * *",
        expected=timedelta(minutes=5),
        lane="citizen",
        avoids_peak=True,
        after=After("user_behavior", within=timedelta(hours=1)),
    ),
    rows_per_day=1_000,
)
