"""ML alerts: what the platform's services for detection, inclusion and prediction post for a family."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flows.callback_model import BodyField, Callback, CallbackFlow
from flows.identity import Identity
from flows.model import TimeOf
from flows.row_model import Notice
from flows.tables import Column, Database, SourceColumn, Table, Target

ALERT_SOURCES: Final = ("AI-PLATFORM-07", "AI-PLATFORM-09", "AI-PLATFORM-14")
SEVERITIES: Final = ("LOW", "MEDIUM", "HIGH", "CRITICAL")

ALERT_CALLBACK: Final = Callback(
    flow="ml_alerts",
    route="alerts",
    record="MlAlert",
    doc="An alert of a machine learning service for a family.",
    key="alert_id",
    time="created_at",
    partitions=5,
    fields=(
        BodyField(
            SourceColumn("alert_id", "uuid", required=True),
            "Identifies the alert. A corrected one keeps its id and has a later created_at.",
            "c1b3f0aa-2a7e-4d57-9b43-6d1f0e8a9b21",
        ),
        BodyField(
            SourceColumn("source", "varchar(50)", required=True),
            "The service that made the alert.",
            "AI-PLATFORM-07",
            values=ALERT_SOURCES,
        ),
        BodyField(
            SourceColumn("family_id", "uuid", required=True, identity=Identity.FAMILY),
            "The family that the alert is for.",
            "5d0c7c1e-93a4-4b0e-8a55-0c9a3f1f6f42",
        ),
        BodyField(
            SourceColumn("citizen_id", "uuid", identity=Identity.CITIZEN),
            "The citizen that the alert is for, where it is one.",
            "7e4f9a30-1c66-4f0b-b0b5-1d2f6a7c8e93",
        ),
        BodyField(
            SourceColumn("alert_type", "varchar(50)", required=True),
            "What kind of alert it is, in the service's own words.",
            "BENEFIT_EXPIRY",
        ),
        BodyField(
            SourceColumn("severity", "varchar(20)", required=True),
            "How urgent it is.",
            "HIGH",
            values=SEVERITIES,
        ),
        BodyField(
            SourceColumn("message", "text", required=True),
            "What the family reads.",
            "A benefit of your family ends this month.",
        ),
        BodyField(
            SourceColumn("action_url", "varchar(500)"),
            "Where the family can act: an address of the web, or a path of the portal.",
            "/benefits/renew",
            pattern="^(https?://|/)",
        ),
        BodyField(
            SourceColumn("created_at", "timestamptz", required=True),
            "When the alert was made. Of two bodies with one alert_id the later one stands.",
            "2026-11-24T08:44:26Z",
        ),
        BodyField(
            SourceColumn("expires_at", "timestamptz"),
            "From when on the alert means nothing any more.",
            "2026-12-24T08:44:26Z",
        ),
    ),
)

ML_ALERTS: Final = CallbackFlow(
    name=ALERT_CALLBACK.flow,
    title="Alerts of the machine learning services for families, with one notice for each",
    source=ALERT_CALLBACK,
    target=Target(
        table=Table(Database.CITIZEN, "public", "ml_alerts"),
        key=("alert_id",),
        columns=(
            Column("alert_id", "uuid", "alert_id"),
            Column("source", "varchar(50)", "source"),
            Column("family_id", "uuid", "family_id"),
            Column("citizen_id", "uuid", "citizen_id"),
            Column("alert_type", "varchar(50)", "alert_type"),
            Column("severity", "varchar(20)", "severity"),
            Column("message", "text", "message"),
            Column("action_url", "text", "action_url"),
            Column("created_at", "timestamptz", "created_at"),
            Column("expires_at", "timestamptz", "expires_at"),
        ),
    ),
    version=TimeOf(ALERT_CALLBACK.time),
    notice=Notice(
        table=Table(Database.CITIZEN, "public", "notifications"),
        type="ML_ALERT",
        watched=(),
        identity=("alert_id",),
        message="{message}",
        metadata=("alert_id", "source", "alert_type", "severity", "action_url", "expires_at"),
        reference=("family_id",),
    ),
    partitions=ALERT_CALLBACK.partitions,
    events_per_day=20_000,
    latency=timedelta(seconds=5),
)
