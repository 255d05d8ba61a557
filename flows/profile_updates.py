"""Profile updates: what verified citizens say of themselves, from the portal into the golden record with their number."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.identity import Identity
from flows.match_model import Lookup, MatchFlow, Signature
from flows.tables import Column, Database, Filter, Source, SourceColumn, Table, Target

PROFILE_UPDATES: Final = MatchFlow(
    name="profile_updates",
    title="Profile updates: what verified citizens say of themselves, into the golden record with their number",
    source=Source(
        table=Table(Database.CITIZEN, "public", "citizens"),
        columns=(
            SourceColumn("id", "uuid", required=True, identity=Identity.CITIZEN),
            SourceColumn("aadhaar_number", "varchar(12)", private=True),
            SourceColumn("mobile_number", "varchar(20)", private=True),
            SourceColumn("email", "varchar(255)", private=True),
            SourceColumn("full_name", "varchar(255)"),
            SourceColumn("date_of_birth", "date"),
            SourceColumn("gender", "varchar(20)"),
            SourceColumn("city", "varchar(100)"),
            SourceColumn("district", "varchar(100)"),
            SourceColumn("pincode", "varchar(10)"),
            SourceColumn("verification_status", "varchar(50)", required=True),
            SourceColumn("updated_at", "timestamptz", required=True),
        ),
        primary_key="id",
        message_key="id",
    ),
    target=Target(
        table=Table(Database.WAREHOUSE, "public", "golden_records"),
        key=("jan_aadhaar",),
        columns=(
            Column("jan_aadhaar", "varchar(12)", "aadhaar_number", clear=True),
            Column("full_name", "varchar(255)", "full_name"),
            Column("date_of_birth", "date", "date_of_birth"),
            Column("gender", "varchar(20)", "gender"),
            Column("mobile_number", "varchar(20)", "mobile_number", clear=True),
            Column("email", "varchar(255)", "email", clear=True),
            Column("city_village", "varchar(100)", "city"),
            Column("pincode", "varchar(10)", "pincode"),
            Column("updated_at", "timestamptz", "updated_at"),
        ),
    ),
    filter=Filter("verification_status", ("VERIFIED",), any_case=True),
    identity="gr_id",
    time="updated_at",
    signature=Signature("updated_by", "varchar(100)", "citizen_portal"),
    lookups=(
        Lookup(
            "district_id",
            "integer",
            source="district",
            table=Table(Database.WAREHOUSE, "public", "district_master"),
            name="district_name",
            value="district_id",
        ),
    ),
    partitions=10,
    events_per_day=20_000,
    latency=timedelta(seconds=5),
)
