from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import psycopg
import pytest

from cli.migrate import migrate_databases
from flows.tables import Database
from sinks.migrations import Migration, MigrationError, apply_pending, exclusively, load_migrations

OURS = """
SELECT 'table', relname::text, oid || coalesce(relacl::text, '') FROM pg_class WHERE relnamespace = 'sync'::regnamespace
UNION ALL SELECT 'replica identity', relname, relreplident::text FROM pg_class WHERE relname = 'eligibility_snapshots'
UNION ALL SELECT 'migration', name, checksum || applied_at FROM sync.migration
UNION ALL SELECT 'published', pubname, tablename FROM pg_publication_tables
ORDER BY 1, 2, 3
"""
MIGRATIONS = [str(migration) for migration in load_migrations()]


@pytest.fixture
def ours(platform):
    return lambda: {name: platform[name].execute(OURS).fetchall() for name in ("citizen", "warehouse")}


def test_the_first_run_applies_everything_and_the_second_changes_nothing(answer, platform, ours):
    assert answer("migrate") == {"warehouse": MIGRATIONS, "citizen": MIGRATIONS}
    before = ours()
    assert answer("migrate") == {"warehouse": [], "citizen": []}
    assert ours() == before


def test_of_two_at_once_one_waits_and_each_migration_is_applied_once(platform, settings):
    start = Barrier(2)

    def run(_):
        start.wait()
        return migrate_databases(settings)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, range(2)))
    for database in Database:
        applied = sorted(len(result[database]) for result in results)
        assert applied == [0, len(MIGRATIONS)]
        count = platform[database.value].execute("SELECT count(*) FROM sync.migration").fetchone()
        assert count == (len(MIGRATIONS),)


def test_a_second_run_waits_for_the_lock(migrated, session_of):
    first, second = session_of("citizen", "_ADMIN"), session_of("citizen", "_ADMIN")
    second.execute("SET lock_timeout = '50ms'")
    with exclusively(first), pytest.raises(psycopg.errors.LockNotAvailable), exclusively(second):
        pass
    with exclusively(second):
        pass


def test_what_must_exist_first_is_named_all_at_once_and_nothing_is_changed(sync, platform):
    platform.warehouse.execute("DROP TABLE eligibility.eligibility_snapshots")
    platform.citizen.execute("DROP TABLE eligibility_hints")
    refused = sync("migrate")
    assert refused.exit_code == 1
    assert "warehouse: table eligibility.eligibility_snapshots does not exist" in refused.stderr
    assert "citizen: table public.eligibility_hints does not exist" in refused.stderr
    for session in (platform.warehouse, platform.citizen):
        assert session.execute("SELECT to_regnamespace('sync')").fetchone() == (None,)


def test_a_role_that_does_not_exist_is_named(sync, platform, shell):
    shell.setenv("SYNC_CITIZEN__USER", "nobody_yet")
    refused = sync("migrate")
    assert refused.exit_code == 1
    assert "citizen: role nobody_yet does not exist" in refused.stderr


def test_a_migration_that_was_changed_afterwards_is_refused(sync, migrated):
    migrated.citizen.execute("UPDATE sync.migration SET checksum = 'other' WHERE version = 1")
    refused = sync("migrate")
    assert refused.exit_code == 1
    assert "migration 0001_sync was applied with another text" in refused.stderr


def test_a_database_that_is_newer_than_the_program_is_refused(sync, migrated):
    migrated.citizen.execute("INSERT INTO sync.migration (version, name, checksum) VALUES (9999, 'later', '')")
    refused = sync("migrate")
    assert refused.exit_code == 1
    assert "9999_later was applied but has no file" in refused.stderr


def test_a_migration_that_fails_leaves_nothing_and_those_before_it_stand(platform):
    good = Migration(1, "good", "CREATE SCHEMA sync; CREATE TABLE sync.kept (id int)")
    bad = Migration(2, "bad", "CREATE TABLE sync.gone (id int); SELECT 1 / 0")
    with exclusively(platform.citizen), pytest.raises(psycopg.errors.DivisionByZero):
        apply_pending(platform.citizen, [good, bad])
    tables = platform.citizen.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'sync' ORDER BY 1").fetchall()
    assert tables == [("kept",), ("migration",)]
    assert platform.citizen.execute("SELECT version, name FROM sync.migration").fetchall() == [(1, "good")]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001_a.sql", "0003_b.sql"], "count from 1 without a gap"),
        (["0001_a.sql", "0001_b.sql"], "count from 1 without a gap"),
        (["first.sql"], "named like 0001_what_it_does.sql"),
    ],
)
def test_files_whose_names_do_not_fit_are_refused(tmp_path: Path, names, complaint):
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match=complaint):
        load_migrations(tmp_path)


WORKER_MAY = {
    "warehouse": ["SELECT snapshot_id, family_id, explanation, xmin FROM eligibility.eligibility_snapshots"],
    "citizen": [
        "INSERT INTO eligibility_hints VALUES (gen_random_uuid(), 'a', 'b', 0, 0, 'c', 1, now())",
        "DELETE FROM eligibility_hints",
        "INSERT INTO sync.ledger (flow, topic, partition, first_offset, next_offset) VALUES ('f', 't', 0, 0, 0)",
        "INSERT INTO sync.audit (actor, action, subject) VALUES ('a', 'b', 'c')",
        "INSERT INTO sync.source (name, system_identifier, timeline) VALUES ('s', 1, 1)",
        "SELECT * FROM sync.migration",
    ],
}
WORKER_MAY_NOT = {
    "warehouse": [
        "UPDATE eligibility.scheme_master SET status = 'ACTIVE'",
        "INSERT INTO eligibility.eligibility_snapshots (family_id) VALUES (gen_random_uuid())",
    ],
    "citizen": ["UPDATE sync.audit SET actor = 'x'", "DELETE FROM sync.migration", "TRUNCATE eligibility_hints"],
}


@pytest.mark.parametrize(("name", "statement"), [(name, each) for name, all_ in WORKER_MAY.items() for each in all_])
def test_the_worker_may_do_its_work(migrated, session_of, name, statement):
    session_of(name, "").execute(statement)


@pytest.mark.parametrize(("name", "statement"), [(name, each) for name, all_ in WORKER_MAY_NOT.items() for each in all_])
def test_the_worker_may_do_nothing_else(migrated, session_of, name, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session_of(name, "").execute(statement)


def test_where_nobody_may_make_temporary_tables_the_worker_is_let(answer, platform, session_of):
    platform["citizen"].execute("REVOKE TEMPORARY ON DATABASE smart_citizen FROM PUBLIC")
    answer("migrate")
    session_of("citizen", "").execute("CREATE TEMPORARY TABLE staged (n integer)")


def test_a_column_that_no_flow_needs_is_closed_to_both_roles(migrated, session_of):
    migrated.warehouse.execute("ALTER TABLE eligibility.eligibility_snapshots ADD COLUMN model_features jsonb")
    for section in ("", "_CONNECT"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session_of("warehouse", section).execute("SELECT model_features FROM eligibility.eligibility_snapshots")


def test_the_connector_may_beat_and_nothing_more(migrated, session_of):
    connector = session_of("warehouse", "_CONNECT")
    connector.execute("UPDATE sync.heartbeat SET beat_at = now() WHERE id = 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connector.execute("SELECT * FROM sync.audit")
