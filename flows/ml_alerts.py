"""ML alerts: what the platform's services for detection, inclusion and prediction post for a family."""

from __future__ import annotations

from typing import Final

from flows.callback_model import BodyField, Callback
from flows.tables import SourceColumn

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
            SourceColumn("family_id", "uuid", required=True),
            "The family that the alert is for.",
            "5d0c7c1e-93a4-4b0e-8a55-0c9a3f1f6f42",
        ),
        BodyField(
            SourceColumn("citizen_id", "uuid"),
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
