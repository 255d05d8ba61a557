"""Document metadata: what a citizen has handed in, from the portal to the warehouse; never the content, its path or its hash."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.definition import PersonLink
from flows.identity import Identity
from flows.row_model import MirrorFlow
from flows.tables import Column, Database, Source, SourceColumn, Table, Target

DOCUMENT_METADATA: Final = MirrorFlow(
    name="document_metadata",
    title="Document metadata: what a citizen has handed in, never the content",
    source=Source(
        table=Table(Database.CITIZEN, "public", "documents"),
        columns=(
            SourceColumn("id", "uuid", required=True),
            SourceColumn("citizen_id", "uuid", required=True, identity=Identity.CITIZEN),
            SourceColumn("document_type", "varchar(50)"),
            SourceColumn("file_name", "varchar(255)"),
            SourceColumn("file_size", "bigint"),
            SourceColumn("verification_status", "varchar(50)"),
            SourceColumn("uploaded_at", "timestamptz"),
        ),
        primary_key="id",
        message_key="id",
    ),
    target=Target(
        table=Table(Database.WAREHOUSE, "public", "document_metadata"),
        key=("document_id",),
        columns=(
            Column("document_id", "uuid", "id"),
            Column("citizen_id", "uuid", "citizen_id"),
            Column("document_type", "varchar(50)", "document_type"),
            Column("file_name", "varchar(255)", "file_name"),
            Column("file_size", "bigint", "file_size"),
            Column("verification_status", "varchar(50)", "verification_status"),
            Column("uploaded_at", "timestamptz", "uploaded_at"),
        ),
    ),
    deleted_at="deleted_at",
    wakes="sync_document_metadata",
    link=PersonLink(column="gr_id", citizen="citizen_id", row="document_id"),
    partitions=5,
    events_per_day=15_000,
    latency=timedelta(seconds=5),
)
