"""Golden records: one person's master data, from the warehouse to the portal, the number masked."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.identity import Identity
from flows.masks import AADHAAR
from flows.row_model import MirrorFlow
from flows.schedule import After, Schedule
from flows.tables import Column, Database, Source, SourceColumn, Table, Target
from flows.transforms import default_to

GOLDEN_RECORDS: Final = MirrorFlow(
    name="golden_records",
    title="Golden records: one person's master data, the number masked",
    source=Source(
        table=Table(Database.WAREHOUSE, "public", "golden_records"),
        columns=(
            SourceColumn("gr_id", "uuid", required=True, identity=Identity.GOLDEN_RECORD),
            # null for people whom only the portal knows
            SourceColumn("family_id", "uuid", identity=Identity.FAMILY),
            SourceColumn("jan_aadhaar", "varchar(12)", private=True),
            SourceColumn("full_name", "varchar(255)"),
            SourceColumn("date_of_birth", "date"),
            SourceColumn("gender", "varchar(20)"),
            SourceColumn("district_id", "integer"),
            SourceColumn("city_village", "varchar(100)"),
            SourceColumn("updated_at", "timestamptz"),
        ),
        primary_key="gr_id",
        message_key="gr_id",
    ),
    target=Target(
        table=Table(Database.CITIZEN, "public", "profile_data"),
        key=("record_id",),
        columns=(
            Column("record_id", "uuid", "gr_id"),
            Column("family_id", "uuid", "family_id"),
            Column("jan_aadhaar", "varchar(20)", "jan_aadhaar", (AADHAAR,)),
            Column("full_name", "varchar(255)", "full_name"),
            Column("date_of_birth", "date", "date_of_birth"),
            Column("gender", "varchar(20)", "gender", (default_to("UNKNOWN"),)),
            Column("district_id", "integer", "district_id"),
            Column("city", "varchar(100)", "city_village"),
            Column("updated_at", "timestamptz", "updated_at"),
        ),
    ),
    schedules=(
        Schedule(
            "golden_records_daily",
            "0 1 * * *",
            expected=timedelta(minutes=45),
            lane="golden",
            avoids_peak=True,
            changed="updated_at",
            window=timedelta(hours=24),
            after=After("profile_summary_full", within=timedelta(minutes=45)),
        ),
    ),
    partitions=10,
    events_per_day=2_400,
    latency=timedelta(seconds=5),
)
