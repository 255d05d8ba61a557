"""Eligibility hints: the five best schemes of each family, from evaluations in the warehouse to the portal."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from flows.identity import Identity
from flows.model import RankedFlow, Ranking
from flows.tables import Column, Database, Filter, Source, SourceColumn, Table, Target
from flows.transforms import cut_to, default_to, round_to

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)

ELIGIBILITY_HINTS: Final = RankedFlow(
    name="eligibility_hints",
    title="Eligibility hints: the five best schemes of each family",
    source=Source(
        table=Table(Database.WAREHOUSE, "eligibility", "eligibility_snapshots"),
        columns=(
            SourceColumn("snapshot_id", "bigint", required=True),
            SourceColumn("family_id", "uuid", required=True, identity=Identity.FAMILY),
            SourceColumn("member_id", "uuid", identity=Identity.MEMBER),
            SourceColumn("scheme_code", "varchar(50)", required=True),
            SourceColumn("evaluation_status", "varchar(50)", required=True),
            SourceColumn("eligibility_score", "numeric(5,4)", minimum=_ZERO, maximum=_ONE),
            SourceColumn("confidence_score", "numeric(5,4)", minimum=_ZERO, maximum=_ONE),
            SourceColumn("explanation", "text"),
            SourceColumn("evaluation_timestamp", "timestamptz", required=True),
            SourceColumn("updated_at", "timestamptz"),
        ),
        primary_key="snapshot_id",
        message_key="family_id",
        replica_identity_full=True,
    ),
    target=Target(
        table=Table(Database.CITIZEN, "public", "eligibility_hints"),
        key=("family_id", "scheme_code"),
        columns=(
            Column("family_id", "uuid", "family_id"),
            Column("scheme_code", "varchar(50)", "scheme_code"),
            Column("eligibility_status", "varchar(50)", "evaluation_status"),
            Column("eligibility_score", "numeric(3,2)", "eligibility_score", (default_to(_ZERO), round_to(2))),
            Column("confidence", "numeric(3,2)", "confidence_score", (default_to(_ZERO), round_to(2))),
            Column("explanation", "varchar(500)", "explanation", (default_to("No explanation available"), cut_to(500))),
            Column("updated_at", "timestamptz", "updated_at"),
        ),
    ),
    filter=Filter("evaluation_status", ("RULE_ELIGIBLE", "POSSIBLE_ELIGIBLE")),
    ranking=Ranking(
        group="family_id",
        item="scheme_code",
        subject="member_id",
        score="eligibility_score",
        score_default=_ZERO,
        time="evaluation_timestamp",
        rank="rank",
        size=5,
        horizon=timedelta(days=30),
    ),
    partitions=10,
    events_per_day=50_000,
    latency=timedelta(seconds=5),
)
