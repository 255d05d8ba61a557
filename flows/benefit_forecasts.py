"""Benefit forecasts: what the forecast service posts for a family that waits for the result."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from flows.callback_model import BodyField, Callback, CallbackFlow
from flows.identity import Identity
from flows.model import TimeOf
from flows.tables import Column, Database, SourceColumn, Table, Target

FORECAST_CALLBACK: Final = Callback(
    flow="benefit_forecasts",
    route="forecasts",
    record="BenefitForecast",
    doc="A forecast of the benefits that a family can expect.",
    key="forecast_id",
    time="generated_at",
    partitions=10,
    fields=(
        BodyField(
            SourceColumn("forecast_id", "uuid", required=True),
            "Identifies the forecast. A recomputed one keeps its id and has a later generated_at.",
            "0b9e2a61-6f0e-4a6c-9d0c-2f4b8f3f7a10",
        ),
        BodyField(
            SourceColumn("family_id", "uuid", required=True, identity=Identity.FAMILY),
            "The family that the forecast is for.",
            "5d0c7c1e-93a4-4b0e-8a55-0c9a3f1f6f42",
        ),
        BodyField(
            SourceColumn("horizon_months", "integer", required=True, minimum=Decimal(1), maximum=Decimal(600)),
            "How far the forecast looks ahead, in months.",
            12,
        ),
        BodyField(
            SourceColumn("total_annual_value", "numeric(14,2)", required=True, minimum=Decimal(0)),
            "Value of all forecast benefits in a year, in rupees. Text, so that no digit is lost on the way.",
            "48250.00",
        ),
        BodyField(
            SourceColumn("scheme_count", "integer", required=True, minimum=Decimal(0)),
            "How many schemes the forecast counts.",
            3,
        ),
        BodyField(
            SourceColumn("projections", "jsonb", required=True),
            "The projections behind the total, in the forecast service's own structure.",
            [{"scheme_code": "OLD_AGE_PENSION", "annual_value": "18000.00"}],
        ),
        BodyField(
            SourceColumn("generated_at", "timestamptz", required=True),
            "When the forecast was generated. Of two bodies with one forecast_id the later one stands.",
            "2026-11-24T08:44:26Z",
        ),
    ),
)

BENEFIT_FORECASTS: Final = CallbackFlow(
    name=FORECAST_CALLBACK.flow,
    title="Forecasts of the benefits that a family can expect, as the forecast service posts them",
    source=FORECAST_CALLBACK,
    target=Target(
        table=Table(Database.CITIZEN, "public", "benefit_forecasts"),
        key=("forecast_id",),
        columns=(
            Column("forecast_id", "uuid", "forecast_id"),
            Column("family_id", "uuid", "family_id"),
            Column("horizon_months", "integer", "horizon_months"),
            Column("total_annual_value", "numeric(14,2)", "total_annual_value"),
            Column("scheme_count", "integer", "scheme_count"),
            Column("projections", "jsonb", "projections"),
            Column("generated_at", "timestamptz", "generated_at"),
        ),
    ),
    version=TimeOf(FORECAST_CALLBACK.time),
    partitions=FORECAST_CALLBACK.partitions,
    events_per_day=50_000,
    latency=timedelta(seconds=2),
)
