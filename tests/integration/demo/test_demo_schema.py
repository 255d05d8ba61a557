import pytest

from demo.databases import DatabaseName, apply_schema

COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull
FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum
"""

TABLES = {
    "eligibility.eligibility_snapshots": [
        ("snapshot_id", "bigint", False),
        ("family_id", "uuid", False),
        ("member_id", "uuid", True),
        ("scheme_code", "character varying(50)", False),
        ("evaluation_status", "character varying(50)", False),
        ("eligibility_score", "numeric(5,4)", True),
        ("confidence_score", "numeric(5,4)", True),
        ("explanation", "text", True),
        ("evaluation_timestamp", "timestamp with time zone", False),
        ("updated_at", "timestamp with time zone", False),
    ],
    "public.eligibility_hints": [
        ("family_id", "uuid", False),
        ("scheme_code", "character varying(50)", False),
        ("eligibility_status", "character varying(50)", False),
        ("eligibility_score", "numeric(3,2)", False),
        ("confidence", "numeric(3,2)", False),
        ("explanation", "character varying(500)", False),
        ("rank", "smallint", False),
        ("updated_at", "timestamp with time zone", False),
    ],
}


@pytest.fixture
def platform(databases):
    """Connections to both databases, each with its tables created twice."""
    with databases.connect("smart_warehouse") as warehouse, databases.connect("smart_citizen") as citizen:
        for conn, name in ((warehouse, DatabaseName.WAREHOUSE), (citizen, DatabaseName.CITIZEN)) * 2:
            apply_schema(conn, name)
        yield {"eligibility": warehouse, "public": citizen}


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_are_those_of_the_platform(platform, table):
    conn = platform[table.partition(".")[0]]
    assert conn.execute(COLUMNS, [table]).fetchall() == TABLES[table]


def test_snapshots_have_replica_identity_full(platform):
    query = "SELECT relreplident FROM pg_class WHERE oid = 'eligibility.eligibility_snapshots'::regclass"
    assert platform["eligibility"].execute(query).fetchone() == ("f",)


def test_hints_have_one_row_per_family_and_scheme_and_ranks_of_1_to_5(platform):
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'eligibility_hints'::regclass"
    definitions = {row[0] for row in platform["public"].execute(query + " AND contype IN ('p', 'c')")}
    assert definitions == {
        "PRIMARY KEY (family_id, scheme_code)",
        "CHECK (((rank >= 1) AND (rank <= 5)))",
    }
