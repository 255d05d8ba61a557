"""Profile summaries: what the portal shows of a family's situation, from the newest profile of its members.

Of a profile only what is shown leaves the warehouse. The income band does not: that there is a row is all that may be known.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.golden_records import GOLDEN_RECORDS
from flows.identity import Identity
from flows.masks import constant
from flows.reference import Reference
from flows.schedule import Schedule
from flows.summary_model import SummaryFlow
from flows.tables import Column, Database, Source, SourceColumn, Table, Target

PROFILE_SUMMARY: Final = SummaryFlow(
    name="profile_summary",
    title="Profile summaries: the newest profile of each family",
    source=Source(
        table=Table(Database.WAREHOUSE, "public", "profile_360"),
        columns=(
            SourceColumn("profile_id", "bigint", required=True),
            SourceColumn("gr_id", "uuid", required=True, identity=Identity.GOLDEN_RECORD),
            SourceColumn("vulnerability_level", "varchar(20)"),
            SourceColumn("under_coverage_indicator", "boolean"),
            SourceColumn("cluster_id", "varchar(50)"),
            SourceColumn("updated_at", "timestamptz", required=True),
        ),
        primary_key="profile_id",
        message_key="gr_id",
        replica_identity_full=True,
    ),
    target=Target(
        table=Table(Database.CITIZEN, "public", "profile_summary"),
        key=("family_id",),
        columns=(
            Column("family_id", "uuid", "gr_id"),
            Column("vulnerability", "varchar(20)", "vulnerability_level"),
            Column("under_coverage", "boolean", "under_coverage_indicator"),
            # A constant needs no value: inferred_income_band is not even read.
            Column("income_category", "varchar(20)", "profile_id", (constant("CONFIDENTIAL"),)),
            Column("region", "varchar(50)", "cluster_id"),
            Column("updated_at", "timestamptz", "updated_at"),
        ),
    ),
    reference=Reference("family_id", GOLDEN_RECORDS.target.table, key="record_id", value="family_id"),
    through=GOLDEN_RECORDS,
    time="updated_at",
    schedules=(
        Schedule(
            "profile_summary_hourly",
            "0 * * * *",
            expected=timedelta(minutes=10),
            lane="profiles",
            superseded_by="profile_summary_full",
            often=True,
            changed="updated_at",
            window=timedelta(hours=1),
        ),
        Schedule("profile_summary_full", "30 0 * * *", expected=timedelta(minutes=30), lane="profiles"),
    ),
    partitions=10,
    events_per_day=12_000,
    latency=timedelta(seconds=5),
)
