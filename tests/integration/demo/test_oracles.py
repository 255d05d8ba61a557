"""The oracles in SQL and the log of changes, on a real database and small examples."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from demo.databases import DatabaseName
from demo.history import history_of, load_tables
from demo.sources import source_of, sources_in
from demo.trickle import Trickle
from demo.warehouse.profile_changes import ProfileChange
from tests.integration.demo.conftest import PAST
from tests.oracle.application_events import application_events
from tests.oracle.decision_notifications import decision_notifications
from tests.oracle.golden_records import GoldenRecords
from tests.support.crosswise import commit_crosswise
from tests.support.flow_oracles import (
    compare_application_events,
    compare_golden_records,
    compare_notifications,
    compare_rows,
    difference,
    expected_gr_ids,
)
from tests.support.source_history import changes, last_versions, position, watch

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
ONE, TWO, THREE, FOUR, FIVE = (UUID(int=number) for number in range(1, 6))
SOURCES = {
    DatabaseName.WAREHOUSE: ("public.golden_records", "public.profile_360", "decision.applications"),
    DatabaseName.CITIZEN: ("public.citizens", "public.service_applications", "public.documents"),
}


def at(minutes):
    return NOON + timedelta(minutes=minutes)


def insert(conn, table, **values):
    columns = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values))
    statement = psycopg.sql.SQL("INSERT INTO {} ({}) VALUES ({})")
    places = psycopg.sql.SQL(", ").join(psycopg.sql.Placeholder() * len(values))
    conn.execute(statement.format(psycopg.sql.Identifier(*table.split(".")), columns, places), list(values.values()))


def golden_record(conn, gr_id, family_id, number="012345678901", **values):
    values = {"gr_id": gr_id, "family_id": family_id, "jan_aadhaar": number, "updated_at": at(0)} | values
    insert(conn, "public.golden_records", **values)


def profile(conn, profile_id, gr_id, minutes, level):
    values = {"profile_id": profile_id, "gr_id": gr_id, "updated_at": at(minutes), "vulnerability_level": level}
    insert(conn, "public.profile_360", **values, cluster_id="c", inferred_income_band="LOW", under_coverage_indicator=True)


def summary(family, level, minutes):
    return (str(family), level, True, "CONFIDENTIAL", "c", at(minutes))


def missing(flow, source, target):
    """What the oracle expects, as the target is empty."""
    found = compare_rows(flow, source, target)
    assert found.extra == ()
    return set(found.missing)


def test_a_golden_record_stands_masked_in_profile_data(warehouse, citizen):
    golden_record(warehouse, ONE, TWO, full_name="आशा", city_village="Rampura", district_id=101)
    golden_record(warehouse, THREE, None, "1234567", gender="Female", date_of_birth="1980-02-29")
    assert missing("golden_records", warehouse, citizen) == {
        (str(ONE), str(TWO), "****-****-8901", "आशा", None, "UNKNOWN", 101, "Rampura", at(0)),
        (str(THREE), None, "****", None, "1980-02-29", "Female", None, None, at(0)),
    }


def test_the_newest_profile_of_a_family_stands_and_of_equal_ones_the_greater_number(warehouse, citizen):
    golden_record(warehouse, ONE, FOUR, "000000000001")
    golden_record(warehouse, TWO, FOUR, "000000000002")
    profile(warehouse, 1, ONE, 5, "LOW")
    profile(warehouse, 2, TWO, 5, "HIGH")
    profile(warehouse, 3, ONE, 4, "MEDIUM")
    assert missing("profile_summary", warehouse, citizen) == {summary(FOUR, "HIGH", 5)}
    warehouse.execute("DELETE FROM profile_360 WHERE profile_id = 2")
    assert missing("profile_summary", warehouse, citizen) == {summary(FOUR, "LOW", 5)}


def test_a_golden_record_takes_its_profiles_along_and_without_it_they_count_no_more(warehouse, citizen):
    golden_record(warehouse, ONE, FOUR)
    profile(warehouse, 1, ONE, 1, "LOW")
    profile(warehouse, 2, TWO, 2, "HIGH")
    assert missing("profile_summary", warehouse, citizen) == {summary(FOUR, "LOW", 1)}
    warehouse.execute("UPDATE golden_records SET family_id = %s", [FIVE])
    assert missing("profile_summary", warehouse, citizen) == {summary(FIVE, "LOW", 1)}
    warehouse.execute("UPDATE golden_records SET family_id = NULL")
    assert missing("profile_summary", warehouse, citizen) == set()


def test_a_decision_stands_to_the_last_digit(warehouse, citizen):
    values = {"application_id": ONE, "family_id": TWO, "decision": "APPROVED", "status": "decided", "risk_score": "0.1000"}
    reasons = Jsonb({"b": 1.10, "a": ["आयु"]})
    insert(warehouse, "decision.applications", **values, reasons=reasons, decision_timestamp=at(1), updated_at=at(2))
    assert missing("application_decisions", warehouse, citizen) == {
        (str(ONE), str(TWO), "APPROVED", "decided", "0.1000", None, '{"a": ["आयु"], "b": 1.1}', at(1))
    }


def document(conn, identity, **values):
    insert(conn, "public.documents", id=identity, citizen_id=ONE, updated_at=at(0), content=b"x" * 5000, **values)


def test_a_document_that_is_gone_stands_as_deleted_with_what_it_was_last(citizen, warehouse):
    watch(citizen, ["public.documents"])
    insert(citizen, "public.citizens", id=ONE, verification_status="PENDING")
    for identity in (TWO, THREE, FOUR):
        document(citizen, identity, file_name="a")
    citizen.execute("UPDATE documents SET file_name = 'b' WHERE id = %s", [TWO])
    citizen.execute("DELETE FROM documents WHERE id IN (%s, %s)", [TWO, THREE])
    document(citizen, THREE, file_name="c")
    citizen.execute("UPDATE documents SET id = %s WHERE id = %s", [FIVE, FOUR])
    found = {(row[0], row[3], row[7]) for row in missing("document_metadata", citizen, warehouse)}
    assert found == {
        (str(TWO), "b", True),
        (str(THREE), "c", False),
        (str(FOUR), "a", True),
        (str(FIVE), "a", False),
    }


def test_the_log_has_every_change_with_its_types_and_without_contents(citizen):
    watch(citizen, ["public.documents"] * 2)
    insert(citizen, "public.citizens", id=ONE, verification_status="PENDING")
    document(citizen, TWO, uploaded_at=at(3))
    reached = position(citizen)
    citizen.execute("UPDATE documents SET file_size = 7")
    citizen.execute("DELETE FROM citizens")
    inserted, updated, deleted = changes(citizen, "public.documents")
    assert inserted.old is None
    assert (inserted.new["id"], inserted.new["uploaded_at"], inserted.new["content"]) == (TWO, at(3), None)
    assert (updated.old["file_size"], updated.new["file_size"]) == (None, 7)
    assert deleted.new is None
    assert changes(citizen, "public.documents", reached) == [updated, deleted]
    assert [row["file_size"] for row in last_versions(citizen, "public.documents", "id")] == [7]


def test_a_roles_change_is_logged_that_may_not_see_the_log(warehouse):
    watch(warehouse, ["public.golden_records"])
    with warehouse.transaction(force_rollback=True):
        warehouse.execute("CREATE ROLE somebody")
        warehouse.execute("GRANT INSERT ON public.golden_records TO somebody")
        warehouse.execute("SET ROLE somebody")
        golden_record(warehouse, ONE, TWO)
        warehouse.execute("RESET ROLE")
        assert [change.new["gr_id"] for change in changes(warehouse, "public.golden_records")] == [ONE]


@pytest.mark.parametrize("database", DatabaseName)
def test_the_log_of_a_burst_leads_to_the_tables_as_they_are(platform, database):
    conn = platform[database]
    with conn.transaction(force_rollback=True):
        watch(conn, SOURCES[database])
        before = {table: rows_of(conn, table) for table in SOURCES[database]}
        Trickle(PAST.population, 3, sources=[source_of(table) for table in SOURCES[database]]).burst(conn, 600)
        for table, rows in before.items():
            key = next(iter(rows[0]))
            replayed = {row[key]: row for row in rows}
            for change in changes(conn, table):
                replayed.pop(change.old[key], None) if change.old else None
                replayed |= {change.new[key]: change.new} if change.new else {}
            assert {key: row | {"content": None} for key, row in replayed.items()} == {
                row[key]: row | {"content": None} for row in rows_of(conn, table)
            }


def rows_of(conn, table):
    with conn.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM {table}").fetchall()


def test_events_are_compared_with_the_log_of_applications(platform):
    citizen, warehouse = platform[DatabaseName.CITIZEN], platform[DatabaseName.WAREHOUSE]
    with citizen.transaction(force_rollback=True), warehouse.transaction(force_rollback=True):
        watch(citizen, ["public.service_applications"])
        Trickle(PAST.population, 4, sources=[source_of("public.service_applications")]).burst(citizen, 300)
        codes = dict(citizen.execute("SELECT id, code FROM schemes").fetchall())
        expected = application_events(changes(citizen, "public.service_applications"), codes)
        assert len(expected) > 100
        for event in expected:
            insert(warehouse, "decision.application_events", **event._asdict())
        assert compare_application_events(citizen, warehouse).equal
        warehouse.execute("DELETE FROM decision.application_events WHERE event_type = 'APPLICATION_APPROVED'")
        found = compare_application_events(citizen, warehouse)
        assert {event.event_type for event in found.missing} == {"APPLICATION_APPROVED"}
        assert found.extra == ()


def test_notifications_are_counted_for_every_application(platform):
    citizen, warehouse = platform[DatabaseName.CITIZEN], platform[DatabaseName.WAREHOUSE]
    with citizen.transaction(force_rollback=True), warehouse.transaction(force_rollback=True):
        watch(warehouse, ["decision.applications"])
        since = position(warehouse)
        Trickle(PAST.population, 4, sources=[source_of("decision.applications")]).burst(warehouse, 300)
        notices = decision_notifications(changes(warehouse, "decision.applications", since))
        assert len(notices) > 100
        for number, notice in enumerate(notices):
            values = {"application_id": notice.application_id, "type": "DECISION_UPDATE", "message": "", "created_at": at(0)}
            insert(citizen, "public.notifications", id=UUID(int=number), **values)
        assert compare_notifications(warehouse, citizen, since).equal
        citizen.execute("DELETE FROM notifications WHERE id = %s", [UUID(int=0)])
        assert not compare_notifications(warehouse, citizen, since).equal


def test_golden_records_are_compared_by_their_number(warehouse):
    watch(warehouse, ["public.golden_records"])
    golden_record(warehouse, ONE, TWO, full_name="A.")
    oracle = GoldenRecords({})
    oracle.apply(changes(warehouse, "public.golden_records"))
    assert compare_golden_records(oracle, warehouse).equal
    oracle.matches[THREE] = ["012345678901"]
    assert expected_gr_ids(oracle, warehouse) == {THREE: {ONE}}
    warehouse.execute("UPDATE golden_records SET full_name = 'B.'")
    assert len(compare_golden_records(oracle, warehouse).missing) == 1


def test_a_transaction_that_begins_first_may_commit_last(databases, warehouse):
    load_tables(warehouse, [history_of("public.golden_records"), history_of("public.profile_360")], PAST)
    trickle = Trickle(PAST.population, 6, sources=[source_of("public.profile_360")], only=[ProfileChange.RECOMPUTED])
    watch(warehouse, ["public.profile_360"])
    with databases.connect("smart_warehouse") as second:
        crosswise = commit_crosswise(warehouse, second, trickle, 20)
    assert 10 < crosswise <= 20
    assert len(changes(warehouse, "public.profile_360")) == 20 + crosswise
    transactions = [xid for (xid,) in warehouse.execute("SELECT xmin::text::bigint FROM history.change ORDER BY number")]
    assert len(set(transactions)) == 20 + crosswise


def test_a_row_that_stands_twice_is_one_too_many():
    found = difference([("a",), ("b",)], [("a",), ("a",)])
    assert (found.expected, found.missing, found.extra) == (2, (("b",),), (("a",),))
    assert str(found) == "of 2 rows 1 are missing (('b',),) and 1 are too many (('a',),)"


def test_the_demo_changes_the_sources_of_every_event_flow():
    changed = {source.table for database in DatabaseName for source in sources_in(database)}
    assert set().union(*SOURCES.values()) <= changed
