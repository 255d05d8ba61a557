"""Schemes: what the portal offers, from the warehouse's master table, whole once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.batch_model import RefreshFlow
from flows.schedule import Schedule
from flows.tables import Column, Database, Filter, Source, SourceColumn, Table, Target

SCHEME_MASTER: Final = RefreshFlow(
    name="scheme_master",
    title="Schemes: what the portal offers",
    source=Source(
        table=Table(Database.WAREHOUSE, "eligibility", "scheme_master"),
        columns=(
            SourceColumn("scheme_id", "uuid", required=True),
            SourceColumn("scheme_code", "varchar(50)", required=True),
            SourceColumn("scheme_name", "varchar(255)", required=True),
            SourceColumn("description", "text"),
            SourceColumn("category", "varchar(100)"),
            SourceColumn("department_name", "varchar(255)"),
            SourceColumn("eligibility_criteria", "jsonb"),
            SourceColumn("benefits", "jsonb"),
            SourceColumn("documents_required", "jsonb"),
            SourceColumn("status", "varchar(20)", required=True),
            SourceColumn("updated_at", "timestamptz", required=True),
        ),
        primary_key="scheme_id",
        message_key="scheme_id",
    ),
    target=Target(
        table=Table(Database.CITIZEN, "public", "schemes"),
        key=("code",),
        columns=(
            Column("id", "uuid", "scheme_id"),
            Column("code", "varchar(50)", "scheme_code"),
            Column("name", "varchar(255)", "scheme_name"),
            Column("description", "text", "description"),
            Column("category", "varchar(100)", "category"),
            Column("department", "varchar(255)", "department_name"),
            Column("eligibility_criteria", "jsonb", "eligibility_criteria"),
            Column("benefits", "jsonb", "benefits"),
            Column("documents_required", "jsonb", "documents_required"),
            Column("status", "varchar(20)", "status"),
            Column("last_updated", "timestamptz", "updated_at"),
        ),
    ),
    filter=Filter("status", ("ACTIVE",)),
    status="status",
    retired="INACTIVE",
    fixed=("id",),  # applications refer to a scheme by it
    schedule=Schedule("scheme_master", "0 0 * * *", expected=timedelta(minutes=5), lane="schemes", avoids_peak=True),
    rows_per_day=200,
)
