import pytest

from sinks.flow_check import MIGRATE

SNAPSHOTS = "eligibility.eligibility_snapshots"
DROP_KEY = "ALTER TABLE eligibility_hints DROP CONSTRAINT eligibility_hints_pkey"

# name: (database, what somebody did, object, difference, whether `migrate` puts it right)
DIFFERENCES = {
    "source table missing": ("warehouse", f"DROP TABLE {SNAPSHOTS}", SNAPSHOTS, "table does not exist", False),
    "target table missing": ("citizen", "DROP TABLE eligibility_hints", "eligibility_hints", "table does not exist", False),
    "source column missing": (
        "warehouse",
        f"ALTER TABLE {SNAPSHOTS} RENAME explanation TO reason",
        f"{SNAPSHOTS}.explanation",
        "column does not exist",
        False,
    ),
    "target column missing": (
        "citizen",
        "ALTER TABLE eligibility_hints DROP confidence",
        "eligibility_hints.confidence",
        "column does not exist",
        False,
    ),
    "source type": (
        "warehouse",
        f"ALTER TABLE {SNAPSHOTS} ALTER eligibility_score TYPE numeric(7,5)",
        f"{SNAPSHOTS}.eligibility_score",
        "the type is numeric(7,5), the flow says numeric(5,4)",
        False,
    ),
    "target type": (
        "citizen",
        "ALTER TABLE eligibility_hints ALTER explanation TYPE varchar(400)",
        "eligibility_hints.explanation",
        "the type is character varying(400), the flow says character varying(500)",
        False,
    ),
    "rank column type": (
        "citizen",
        "ALTER TABLE eligibility_hints ALTER rank TYPE integer",
        "eligibility_hints.rank",
        "the type is integer, the flow says smallint",
        False,
    ),
    "required column nullable": (
        "warehouse",
        f"ALTER TABLE {SNAPSHOTS} ALTER scheme_code DROP NOT NULL",
        f"{SNAPSHOTS}.scheme_code",
        "may be null, but the flow needs a value",
        False,
    ),
    "null into a column that refuses it": (
        "warehouse",
        f"ALTER TABLE {SNAPSHOTS} ALTER updated_at DROP NOT NULL",
        "eligibility_hints.updated_at",
        "refuses null, but updated_at of the source may be null",
        False,
    ),
    "target column that nobody writes": (
        "citizen",
        "ALTER TABLE eligibility_hints ADD portal text NOT NULL",
        "eligibility_hints.portal",
        "must have a value, but the flow does not write it",
        False,
    ),
    "primary key of the source": (
        "warehouse",
        f"ALTER TABLE {SNAPSHOTS} DROP CONSTRAINT eligibility_snapshots_pkey",
        f"{SNAPSHOTS}.snapshot_id",
        "no unique index",
        False,
    ),
    "key of the target": (
        "citizen",
        DROP_KEY,
        "eligibility_hints",
        "no unique index on the key (family_id, scheme_code)",
        False,
    ),
    "partial key of the target": (
        "citizen",
        f"{DROP_KEY}; CREATE UNIQUE INDEX ON eligibility_hints (family_id, scheme_code) WHERE rank = 1",
        "eligibility_hints",
        "no unique index on the key (family_id, scheme_code)",
        False,
    ),
    "replica identity": (
        "warehouse",
        f"ALTER TABLE {SNAPSHOTS} REPLICA IDENTITY DEFAULT",
        SNAPSHOTS,
        "replica identity is not FULL",
        True,
    ),
    "publication missing": (
        "warehouse",
        "DROP PUBLICATION sync_warehouse",
        "publication sync_warehouse",
        "publication does not exist",
        True,
    ),
    "table not published": (
        "warehouse",
        f"ALTER PUBLICATION sync_warehouse DROP TABLE {SNAPSHOTS}",
        "publication sync_warehouse",
        f"{SNAPSHOTS} is not published",
        True,
    ),
    "other table published": (
        "warehouse",
        "ALTER PUBLICATION sync_warehouse ADD TABLE eligibility.scheme_master",
        "publication sync_warehouse",
        "eligibility.scheme_master is published, but no flow reads it",
        True,
    ),
    "truncates not published": (
        "warehouse",
        "ALTER PUBLICATION sync_warehouse SET (publish = 'insert, update, delete')",
        "publication sync_warehouse",
        "truncate is not published",
        True,
    ),
    "worker's source grant": (
        "warehouse",
        "REVOKE SELECT (explanation) ON eligibility.eligibility_snapshots FROM sync_worker",
        f"{SNAPSHOTS}.explanation",
        "role sync_worker has no SELECT privilege",
        True,
    ),
    "worker's schema grant": (
        "warehouse",
        "REVOKE USAGE ON SCHEMA eligibility FROM sync_worker",
        "eligibility",
        "role sync_worker has no USAGE privilege",
        True,
    ),
    "worker's target grant": (
        "citizen",
        "REVOKE DELETE ON eligibility_hints FROM sync_worker",
        "eligibility_hints",
        "role sync_worker has no DELETE privilege",
        True,
    ),
    "worker's grant on our own tables": (
        "citizen",
        "REVOKE UPDATE ON sync.ledger FROM sync_worker",
        "sync.ledger",
        "role sync_worker has no UPDATE privilege",
        True,
    ),
    "worker may not see migrations": (
        "citizen",
        "REVOKE SELECT ON sync.migration FROM sync_worker",
        "schema sync",
        "may not read which migrations are applied",
        True,
    ),
    "heartbeat grant": (
        "warehouse",
        "REVOKE UPDATE (beat_at) ON sync.heartbeat FROM sync_connect",
        "sync.heartbeat.beat_at",
        "role sync_connect has no UPDATE privilege",
        True,
    ),
    "migration pending": (
        "citizen",
        "DROP SCHEMA sync CASCADE",
        "schema sync",
        "migration 0001_sync is not applied",
        True,
    ),
    "migration changed": (
        "citizen",
        "UPDATE sync.migration SET checksum = 'other' WHERE version = 1",
        "schema sync",
        "0001_sync was applied with another text",
        False,
    ),
}


def test_a_migrated_platform_shows_no_difference(answer, migrated):
    assert answer("check-schema") == []


@pytest.mark.parametrize("name", DIFFERENCES)
def test_each_kind_of_difference_is_named(answer, migrated, sync, name):
    database, statement, thing, problem, mended_by_migrate = DIFFERENCES[name]
    migrated[database].execute(statement)
    found = answer("check-schema", code=1)
    matching = [each for each in found if each["object"].endswith(thing) and problem in each["problem"]]
    assert len(matching) == 1, found
    assert matching[0]["remedy"]
    if mended_by_migrate:
        assert matching[0]["remedy"] == MIGRATE
        assert sync("migrate").exit_code == 0
        assert answer("check-schema") == []


def test_a_platform_without_anything_of_ours_lists_what_migrate_will_do(answer, platform):
    found = answer("check-schema", code=1)
    assert {each["remedy"] for each in found} == {MIGRATE}
    assert {each["database"] for each in found} == {"warehouse", "citizen"}


def test_a_time_without_zone_is_a_difference_in_source_and_target(answer, migrated):
    migrated.warehouse.execute(f"ALTER TABLE {SNAPSHOTS} ALTER updated_at TYPE timestamp")
    migrated.citizen.execute("ALTER TABLE eligibility_hints ALTER updated_at TYPE timestamp")
    found = {each["object"] for each in answer("check-schema", code=1)}
    assert found == {f"{SNAPSHOTS}.updated_at", "public.eligibility_hints.updated_at"}


def test_a_covering_index_serves_as_key(answer, migrated):
    migrated.citizen.execute(f"{DROP_KEY}; CREATE UNIQUE INDEX ON eligibility_hints (scheme_code, family_id) INCLUDE (rank)")
    assert answer("check-schema") == []


def test_a_role_that_does_not_exist_is_named(answer, migrated, shell):
    shell.setenv("SYNC_WAREHOUSE_CONNECT__USER", "nobody_yet")
    found = answer("check-schema", code=1)
    assert [(each["object"], each["problem"]) for each in found] == [("nobody_yet", "the role does not exist")]


def test_a_connector_that_may_not_replicate_is_named(answer, migrated):
    migrated.warehouse.execute("ALTER ROLE sync_connect NOREPLICATION")
    try:
        found = answer("check-schema", code=1)
    finally:
        migrated.warehouse.execute("ALTER ROLE sync_connect REPLICATION")
    assert [(each["object"], each["problem"]) for each in found] == [("sync_connect", "the role may not replicate")]


def test_people_see_a_table_with_what_to_do(sync, migrated):
    migrated.warehouse.execute("DROP PUBLICATION sync_warehouse")
    result = sync("check-schema")
    assert result.exit_code == 1
    assert MIGRATE in result.stdout
