"""Decisions on applications, from the warehouse to the portal, with a notice to the citizen for each."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.identity import Identity
from flows.row_model import MirrorFlow, Notice
from flows.tables import Column, Database, Source, SourceColumn, Table, Target

APPLICATION_DECISIONS: Final = MirrorFlow(
    name="application_decisions",
    title="Decisions on applications, with a notice to the citizen for each",
    source=Source(
        table=Table(Database.WAREHOUSE, "decision", "applications"),
        columns=(
            SourceColumn("application_id", "uuid", required=True, identity=Identity.APPLICATION),
            SourceColumn("family_id", "uuid", identity=Identity.FAMILY),
            SourceColumn("decision", "varchar(50)"),
            SourceColumn("status", "varchar(50)"),
            SourceColumn("risk_score", "numeric(5,4)"),
            SourceColumn("confidence", "numeric(5,4)"),
            SourceColumn("reasons", "jsonb"),
            SourceColumn("decision_timestamp", "timestamptz"),
        ),
        primary_key="application_id",
        message_key="application_id",
        replica_identity_full=True,
    ),
    target=Target(
        table=Table(Database.CITIZEN, "public", "application_decisions"),
        key=("application_id",),
        columns=(
            Column("application_id", "uuid", "application_id"),
            Column("family_id", "uuid", "family_id"),
            Column("decision_status", "varchar(50)", "decision"),
            Column("status", "varchar(50)", "status"),
            Column("risk_score", "numeric(5,4)", "risk_score"),
            Column("confidence", "numeric(5,4)", "confidence"),
            Column("decision_reasons", "jsonb", "reasons"),
            Column("decision_date", "timestamptz", "decision_timestamp"),
        ),
    ),
    notice=Notice(
        table=Table(Database.CITIZEN, "public", "notifications"),
        type="DECISION_UPDATE",
        watched=("decision", "status"),
        identity=("application_id", "decision", "status", "decision_timestamp"),
        message="There is news about your application: decision {decision_status}, status {status}.",
        metadata=("decision_status", "status", "decision_date"),
        reference=("application_id", "family_id"),
    ),
    partitions=5,
    events_per_day=10_000,
    latency=timedelta(seconds=5),
)
