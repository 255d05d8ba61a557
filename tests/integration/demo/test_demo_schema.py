"""The demo's tables against the table of the specification, written out here by hand."""

import pytest

from demo.databases import DatabaseName, apply_schema

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN '' ELSE ' null' END
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum
"""
CONSTRAINTS = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = ANY(%s)"
MOMENT = "timestamp with time zone"

WAREHOUSE = {
    "eligibility.eligibility_snapshots": {
        "snapshot_id": "bigint",
        "family_id": "uuid",
        "member_id": "uuid null",
        "scheme_code": "character varying(50)",
        "evaluation_status": "character varying(50)",
        "eligibility_score": "numeric(5,4) null",
        "confidence_score": "numeric(5,4) null",
        "explanation": "text null",
        "evaluation_timestamp": MOMENT,
        "updated_at": MOMENT,
    },
    "eligibility.scheme_master": {
        "scheme_id": "uuid",
        "scheme_code": "character varying(50)",
        "scheme_name": "character varying(255)",
        "description": "text null",
        "category": "character varying(100) null",
        "department_name": "character varying(255) null",
        "eligibility_criteria": "jsonb null",
        "benefits": "jsonb null",
        "documents_required": "jsonb null",
        "status": "character varying(20)",
        "updated_at": MOMENT,
    },
    "public.district_master": {"district_id": "integer", "district_name": "character varying(100)"},
    "public.golden_records": {
        "gr_id": "uuid",
        "family_id": "uuid null",
        "jan_aadhaar": "character varying(12)",
        "full_name": "character varying(255) null",
        "date_of_birth": "date null",
        "gender": "character varying(20) null",
        "mobile_number": "character varying(20) null",
        "email": "character varying(255) null",
        "district_id": "integer null",
        "city_village": "character varying(100) null",
        "pincode": "character varying(10) null",
        "updated_at": MOMENT,
        "updated_by": "character varying(100) null",
    },
    "public.profile_360": {
        "profile_id": "bigint",
        "gr_id": "uuid",
        "vulnerability_level": "character varying(20) null",
        "under_coverage_indicator": "boolean null",
        "inferred_income_band": "character varying(20) null",
        "cluster_id": "character varying(50) null",
        "profile_data": "jsonb null",
        "updated_at": MOMENT,
    },
    "decision.applications": {
        "application_id": "uuid",
        "family_id": "uuid",
        "decision": "character varying(50)",
        "status": "character varying(50)",
        "risk_score": "numeric(5,4) null",
        "confidence": "numeric(5,4) null",
        "reasons": "jsonb null",
        "decision_timestamp": f"{MOMENT} null",
        "updated_at": MOMENT,
    },
    "decision.application_events": {
        "application_id": "uuid",
        "citizen_id": "uuid",
        "gr_id": "uuid null",
        "scheme_code": "character varying(50)",
        "event_type": "character varying(50)",
        "status": "character varying(50)",
        "event_timestamp": MOMENT,
        "approval_timestamp": f"{MOMENT} null",
    },
    "public.document_metadata": {
        "document_id": "uuid",
        "citizen_id": "uuid",
        "gr_id": "uuid null",
        "document_type": "character varying(50) null",
        "file_name": "character varying(255) null",
        "file_size": "bigint null",
        "verification_status": "character varying(50) null",
        "uploaded_at": f"{MOMENT} null",
        "deleted_at": f"{MOMENT} null",
    },
    "analytics.user_behavior": {
        "citizen_id": "uuid",
        "gr_id": "uuid null",
        "event_type": "character varying(50)",
        "activity_date": "date",
        "event_count": "integer",
        "total_duration_ms": "bigint",
        "first_at": MOMENT,
        "last_at": MOMENT,
    },
    "analytics.feedback_analytics": {
        "feedback_id": "uuid",
        "citizen_id": "uuid",
        "gr_id": "uuid null",
        "scheme_code": "character varying(50) null",
        "feedback_type": "character varying(50) null",
        "rating": "integer null",
        "comment": "text null",
        "created_at": MOMENT,
    },
}
CITIZEN = {
    "public.citizens": {
        "id": "uuid",
        "aadhaar_number": "character varying(12) null",
        "mobile_number": "character varying(20) null",
        "email": "character varying(255) null",
        "full_name": "character varying(255) null",
        "date_of_birth": "date null",
        "gender": "character varying(20) null",
        "city": "character varying(100) null",
        "district": "character varying(100) null",
        "pincode": "character varying(10) null",
        "verification_status": "character varying(50)",
        "updated_at": MOMENT,
    },
    "public.service_applications": {
        "id": "uuid",
        "citizen_id": "uuid",
        "scheme_id": "uuid",
        "status": "character varying(50)",
        "submitted_at": f"{MOMENT} null",
        "approved_at": f"{MOMENT} null",
        "updated_at": MOMENT,
    },
    "public.documents": {
        "id": "uuid",
        "citizen_id": "uuid",
        "application_id": "uuid null",
        "document_type": "character varying(50) null",
        "file_name": "character varying(255) null",
        "file_path": "character varying(500) null",
        "file_size": "bigint null",
        "mime_type": "character varying(100) null",
        "content": "bytea null",
        "verification_status": "character varying(50) null",
        "uploaded_at": f"{MOMENT} null",
        "updated_at": MOMENT,
    },
    "public.user_events": {
        "event_id": "uuid",
        "citizen_id": "uuid",
        "event_type": "character varying(50)",
        "occurred_at": MOMENT,
        "duration_ms": "integer null",
        "properties": "jsonb null",
        "created_at": MOMENT,
    },
    "public.feedback": {
        "id": "uuid",
        "citizen_id": "uuid",
        "scheme_id": "uuid null",
        "feedback_type": "character varying(50) null",
        "rating": "integer null",
        "comment": "text null",
        "created_at": MOMENT,
    },
    "public.eligibility_hints": {
        "family_id": "uuid",
        "scheme_code": "character varying(50)",
        "eligibility_status": "character varying(50)",
        "eligibility_score": "numeric(3,2)",
        "confidence": "numeric(3,2)",
        "explanation": "character varying(500)",
        "rank": "smallint",
        "updated_at": MOMENT,
    },
    "public.profile_summary": {
        "family_id": "uuid",
        "vulnerability": "character varying(20) null",
        "under_coverage": "boolean null",
        "income_category": "character varying(20)",
        "region": "character varying(50) null",
        "updated_at": f"{MOMENT} null",
    },
    "public.profile_data": {
        "record_id": "uuid",
        "family_id": "uuid null",
        "jan_aadhaar": "character varying(20) null",
        "full_name": "character varying(255) null",
        "date_of_birth": "date null",
        "gender": "character varying(20)",
        "district_id": "integer null",
        "city": "character varying(100) null",
        "updated_at": f"{MOMENT} null",
    },
    "public.application_decisions": {
        "application_id": "uuid",
        "family_id": "uuid null",
        "decision_status": "character varying(50) null",
        "status": "character varying(50) null",
        "risk_score": "numeric(5,4) null",
        "confidence": "numeric(5,4) null",
        "decision_reasons": "jsonb null",
        "decision_date": f"{MOMENT} null",
    },
    "public.notifications": {
        "id": "uuid",
        "application_id": "uuid null",
        "family_id": "uuid null",
        "type": "character varying(50)",
        "message": "text",
        "metadata": "jsonb null",
        "created_at": MOMENT,
    },
    "public.schemes": {
        "id": "uuid",
        "code": "character varying(50)",
        "name": "character varying(255)",
        "description": "text null",
        "category": "character varying(100) null",
        "department": "character varying(255) null",
        "eligibility_criteria": "jsonb null",
        "benefits": "jsonb null",
        "documents_required": "jsonb null",
        "status": "character varying(20)",
        "last_updated": MOMENT,
    },
    "public.benefit_forecasts": {
        "forecast_id": "uuid",
        "family_id": "uuid",
        "horizon_months": "integer",
        "total_annual_value": "numeric(14,2)",
        "scheme_count": "integer",
        "projections": "jsonb null",
        "generated_at": MOMENT,
    },
    "public.ml_alerts": {
        "alert_id": "uuid",
        "source": "character varying(50)",
        "family_id": "uuid",
        "citizen_id": "uuid null",
        "alert_type": "character varying(50)",
        "severity": "character varying(20)",
        "message": "text",
        "action_url": "text null",
        "created_at": MOMENT,
        "expires_at": f"{MOMENT} null",
    },
}
TABLES = [(DatabaseName.WAREHOUSE, table) for table in WAREHOUSE] + [(DatabaseName.CITIZEN, table) for table in CITIZEN]

UNIQUE = {
    "eligibility.scheme_master": {"PRIMARY KEY (scheme_id)", "UNIQUE (scheme_code)"},
    "public.district_master": {"PRIMARY KEY (district_id)", "UNIQUE (district_name)"},
    "public.golden_records": {"PRIMARY KEY (gr_id)", "UNIQUE (jan_aadhaar)"},
    "decision.application_events": {"UNIQUE (application_id, event_type, status, event_timestamp)"},
    "analytics.user_behavior": {"PRIMARY KEY (citizen_id, event_type, activity_date)"},
    "public.citizens": {"PRIMARY KEY (id)", "UNIQUE (aadhaar_number)"},
    "public.schemes": {"PRIMARY KEY (id)", "UNIQUE (code)"},
    "public.eligibility_hints": {"PRIMARY KEY (family_id, scheme_code)"},
}
REPLICA_IDENTITY_FULL = {"eligibility.eligibility_snapshots", "decision.applications", "public.service_applications"}
REFERENCES = {
    "public.service_applications": {"citizens"},
    "public.documents": {"citizens", "service_applications"},
}


@pytest.fixture
def twice(databases):
    """Connections to both databases, each with its tables created twice."""
    with databases.connect("smart_warehouse") as warehouse, databases.connect("smart_citizen") as citizen:
        connections = {DatabaseName.WAREHOUSE: warehouse, DatabaseName.CITIZEN: citizen}
        for name, conn in list(connections.items()) * 2:
            apply_schema(conn, name)
        yield connections


def tables_of(conn):
    statement = "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'"
    return {table for (table,) in conn.execute(statement)}


def constraints(conn, table, *kinds):
    return {definition for (definition,) in conn.execute(CONSTRAINTS, [table, list(kinds)])}


def test_the_databases_hold_exactly_the_tables_of_the_platform(twice):
    assert tables_of(twice[DatabaseName.WAREHOUSE]) == WAREHOUSE.keys()
    assert tables_of(twice[DatabaseName.CITIZEN]) == CITIZEN.keys()
    for database, table in TABLES:
        expected = {DatabaseName.WAREHOUSE: WAREHOUSE, DatabaseName.CITIZEN: CITIZEN}[database][table]
        assert list(twice[database].execute(COLUMNS, [table])) == list(expected.items()), table


def test_rows_are_told_apart_by_the_keys_of_the_specification(twice):
    for database, table in TABLES:
        first = next(iter((WAREHOUSE | CITIZEN)[table]))
        assert constraints(twice[database], table, "p", "u") == UNIQUE.get(table, {f"PRIMARY KEY ({first})"}), table


def test_only_three_tables_have_replica_identity_full(twice):
    found = set()
    for database, table in TABLES:
        (identity,) = twice[database].execute("SELECT relreplident FROM pg_class WHERE oid = %s::regclass", [table]).fetchone()
        found |= {table} if identity == "f" else set()
    assert found == REPLICA_IDENTITY_FULL


def test_no_target_refers_to_another_table_and_no_source_to_a_target(twice):
    statement = (
        "SELECT confrelid::regclass::text, condeferrable FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass"
    )
    for database, table in TABLES:
        found = twice[database].execute(statement, [table]).fetchall()
        assert {parent for parent, _ in found} == REFERENCES.get(table, set()), table
        assert all(deferrable for _, deferrable in found), table


def test_a_hint_has_a_rank_of_1_to_5_and_an_alert_a_known_severity(twice):
    citizen = twice[DatabaseName.CITIZEN]
    assert constraints(citizen, "public.eligibility_hints", "c") == {"CHECK (((rank >= 1) AND (rank <= 5)))"}
    (severity,) = constraints(citizen, "public.ml_alerts", "c")
    assert all(f"'{level}'" in severity for level in ("LOW", "MEDIUM", "HIGH", "CRITICAL"))
