from dataclasses import replace

import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from flows.profile_updates import PROFILE_UPDATES
from flows.tables import Database, SourceColumn, Table
from sinks.provision import (
    Roles,
    grants,
    provision_statements,
    schemas_used,
    state_privileges,
    tables_needed,
)

ROLES = Roles("sync_worker", "sync_connect")


def statements(database, *flows, roles=ROLES):
    return provision_statements(database, flows or (FLOW,), roles)


def text(database, *flows, roles=ROLES):
    return ";\n".join(statements(database, *flows, roles=roles))


def test_the_source_is_published_with_its_heartbeat_and_nothing_else():
    assert 'ALTER PUBLICATION "sync_warehouse" SET TABLE "eligibility"."eligibility_snapshots", "sync"."heartbeat"' in statements(
        Database.WAREHOUSE
    )


def test_a_target_publishes_nothing():
    assert "PUBLICATION" not in text(Database.CITIZEN)
    assert "REPLICA IDENTITY" not in text(Database.CITIZEN)


def test_replica_identity_full_is_set_where_the_flow_says_so():
    plain = replace(FLOW, source=replace(FLOW.source, replica_identity_full=False))
    assert "REPLICA IDENTITY FULL" in text(Database.WAREHOUSE)
    assert "REPLICA IDENTITY" not in text(Database.WAREHOUSE, plain)


def test_readers_of_a_source_see_the_columns_of_the_definition():
    columns = (*FLOW.source.columns, SourceColumn("district_id", "integer"))
    changed = replace(FLOW, source=replace(FLOW.source, columns=columns))
    (connector,) = [
        grant
        for grant in grants(Database.WAREHOUSE, [changed], ROLES)
        if grant.role == "sync_connect" and grant.table == FLOW.source.table
    ]
    assert connector.columns == tuple(column.name for column in columns)
    assert connector.privileges == ("SELECT",)
    assert 'SELECT ("snapshot_id", "family_id"' in connector.statement


def test_the_connector_gets_nothing_but_what_it_reads_and_its_heartbeat():
    held = [grant for grant in grants(Database.WAREHOUSE, [FLOW], ROLES) if grant.role == "sync_connect"]
    assert [(grant.table.qualified, grant.privileges) for grant in held] == [
        ("eligibility.eligibility_snapshots", ("SELECT",)),
        ("sync.heartbeat", ("SELECT",)),
        ("sync.heartbeat", ("UPDATE",)),
    ]
    assert all(grant.role == "sync_worker" for grant in grants(Database.CITIZEN, [FLOW], ROLES))


def test_without_a_connectors_role_only_the_worker_is_granted_anything():
    assert {grant.role for grant in grants(Database.WAREHOUSE, [FLOW], Roles("w"))} == {"w"}


def test_the_worker_writes_rows_of_the_target_and_reads_those_of_the_source():
    (target,) = grants(Database.CITIZEN, [FLOW], ROLES)
    assert (target.table, target.privileges, target.columns) == (
        FLOW.target.table,
        ("SELECT", "INSERT", "UPDATE", "DELETE"),
        (),
    )
    of_worker = [grant for grant in grants(Database.WAREHOUSE, [FLOW], ROLES) if grant.role == "sync_worker"]
    assert {grant.privileges for grant in of_worker} == {("SELECT",)}


def test_usage_of_every_schema_with_a_grant_is_granted():
    assert schemas_used(Database.WAREHOUSE, [FLOW], ROLES) == (
        ("sync_connect", "eligibility"),
        ("sync_connect", "sync"),
        ("sync_worker", "eligibility"),
        ("sync_worker", "sync"),
    )
    assert 'GRANT USAGE ON SCHEMA "eligibility" TO "sync_connect"' in statements(Database.WAREHOUSE)


def test_the_audit_only_grows_and_migrations_are_the_administrators():
    assert state_privileges("audit") == ("SELECT", "INSERT")
    assert state_privileges("migration") == ("SELECT",)
    revoked = [each for each in statements(Database.CITIZEN) if each.startswith("REVOKE")]
    assert revoked == [
        'REVOKE UPDATE, DELETE ON sync.audit FROM "sync_worker"',
        'REVOKE INSERT, UPDATE, DELETE ON sync.migration FROM "sync_worker"',
    ]


def test_of_a_lookup_the_worker_reads_the_columns_that_are_looked_up():
    (looked_up,) = [
        grant for grant in grants(Database.WAREHOUSE, [PROFILE_UPDATES], ROLES) if grant.table.name == "district_master"
    ]
    assert (looked_up.role, looked_up.privileges) == ("sync_worker", ("SELECT",))
    assert looked_up.columns == ("district_name", "district_id")
    assert looked_up.table in tables_needed(Database.WAREHOUSE, [PROFILE_UPDATES])
    assert not [each for each in grants(Database.CITIZEN, [PROFILE_UPDATES], ROLES) if each.table == looked_up.table]


def test_statements_are_kept_out_of_the_log_where_they_hold_private_values_and_nowhere_else():
    assert "log_min_error_statement" in text(Database.WAREHOUSE, PROFILE_UPDATES)
    assert "log_" not in text(Database.CITIZEN, PROFILE_UPDATES)
    assert "log_" not in text(Database.CITIZEN, FLOW)


@pytest.mark.parametrize("role", ['we"ird', "Upper Case", "semi; DROP TABLE x"])
def test_a_role_is_quoted_whatever_its_name(role):
    quoted = '"' + role.replace('"', '""') + '"'
    granted = [each for each in statements(Database.CITIZEN, roles=Roles(role)) if each.startswith("GRANT")]
    assert granted
    assert all(each.endswith(f"TO {quoted}") for each in granted)


def test_another_target_is_granted_instead_of_the_old_one():
    moved = replace(FLOW, target=replace(FLOW.target, table=Table(Database.CITIZEN, "portal", "hints")))
    derived = text(Database.CITIZEN, moved)
    assert '"portal"."hints"' in derived
    assert "eligibility_hints" not in derived


def test_each_needed_table_is_named_once():
    both = (FLOW, replace(FLOW, name="second"))
    assert tables_needed(Database.WAREHOUSE, both) == (FLOW.source.table,)
    assert tables_needed(Database.CITIZEN, both) == (FLOW.target.table,)
