"""The codes of the portal's schemes by their ids there: what applications and feedback refer to, kept in the warehouse.

A scheme that is deleted stays here, marked: what refers to it may arrive later than its end.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.row_model import MirrorFlow
from flows.tables import Column, Database, Source, SourceColumn, Table, Target

SCHEME_MAP: Final = MirrorFlow(
    name="scheme_map",
    title="Codes of the portal's schemes by their ids, for the flows whose rows name a scheme",
    source=Source(
        table=Table(Database.CITIZEN, "public", "schemes"),
        columns=(
            SourceColumn("id", "uuid", required=True),
            SourceColumn("code", "varchar(50)", required=True),
        ),
        primary_key="id",
        message_key="id",
    ),
    target=Target(
        table=Table(Database.WAREHOUSE, "sync", "scheme_map"),
        key=("scheme_id",),
        columns=(
            Column("scheme_id", "uuid", "id"),
            Column("scheme_code", "varchar(50)", "code"),
        ),
    ),
    deleted_at="deleted_at",
    partitions=1,
    events_per_day=200,
    latency=timedelta(seconds=5),
)
