"""What a look at a real database tells."""

import json

import pytest

from cli.migrate import migrate_databases
from flows.feedback import FEEDBACK
from flows.registry import FLOWS
from flows.tables import Database
from metrics.database import database_samples, look
from metrics.exposition import Exposition
from metrics.ownership import every_partition
from sinks.operations import ownership
from sinks.operations.connection import connect
from tests.support.scrape import parse

NOW = 2_000_000_000.0
MIRROR = next(flow for flow in FLOWS if flow.target.table.database is Database.CITIZEN)
LEDGER = """
INSERT INTO sync.ledger (flow, topic, partition, first_offset, next_offset, records_read, applied, filtered, skipped, source_time)
VALUES (%s, 't', %s, 0, 12, 10, 7, 3, 2, '2025-01-15 12:00:00+00')
"""
LETTER = """
INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail, status) VALUES (%s, 't', 0, %s, %s, 'x', %s)
"""
PARKED = """
INSERT INTO sync.parked (flow, topic, partition, "offset", row_key, reference, deadline) VALUES (%s, 't', 0, %s, %s, 'r', now())
"""
LOSS = """
INSERT INTO sync.upstream_loss (flow, kind, detail, resync, found_by, resolved_at, resolved_by)
VALUES (%s, %s, 'gone', 0, 'a worker', %s, %s)
"""
RUN = """
INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, started_at, ended_at)
VALUES ('scheme_master', now() - %(days)s * interval '1 day', 'schemes', %(state)s, now(), now(),
        now() - %(days)s * interval '1 day')
"""
COMPARISON = """
INSERT INTO sync.reconciliation (run, flow, repairs, key_from, state, problem, progress)
VALUES (%s, 'feedback', true, %s, %s, %s, %s)
"""
FOUND = '{"expected": 70, "missing": 1, "extra": 2, "different": 3, "repaired": %s}'


@pytest.fixture
def told(warehouse, citizen, fresh_databases):
    """Migrate, then give what a look at one of the databases tells."""
    migrate_databases(fresh_databases)

    def tell(database):
        with connect(fresh_databases.databases[database.value]) as connection:
            facts = look(connection, database)
        return parse(Exposition([lambda: database_samples(database, facts, NOW)]).text().decode())

    return tell


def test_an_empty_installation_has_running_flows_and_no_trouble(told):
    found = told(Database.CITIZEN)
    mine = {flow.name for flow in FLOWS if flow.target.table.database is Database.CITIZEN}
    assert {dict(labels)["flow"] for labels in found.samples["sync_flow_state"]} == mine
    assert all(found.value("sync_flow_state", flow=name, state="running") == 1 for name in mine)
    assert "sync_dead_letters_open" not in found.samples
    assert found.value("sync_job_late_seconds", batch_job="scheme_master") == 0
    assert found.value("sync_slot_state", database="citizen", state="missing") == 1
    assert "sync_slot_retained_bytes" not in found.samples


def test_an_open_loss_is_told_and_a_resolved_one_is_not(told, citizen):
    citizen.execute(LOSS, (MIRROR.name, "slot", None, None))
    citizen.execute(LOSS, (MIRROR.name, "topic", "2025-01-15 12:00:00+00", "resync"))
    found = told(Database.CITIZEN)
    assert found.value("sync_upstream_loss", flow=MIRROR.name, kind="slot") == 1
    assert found.value("sync_upstream_loss", flow=MIRROR.name, kind="topic") == 0


def test_counts_of_the_ledger_are_added_up_over_partitions(told, citizen):
    for partition in (0, 1):
        citizen.execute(LEDGER, (MIRROR.name, partition))
    found = told(Database.CITIZEN)
    assert found.value("sync_ledger_records_total", flow=MIRROR.name, outcome="applied") == 14
    assert found.value("sync_ledger_records_total", flow=MIRROR.name, outcome="dead_lettered") == 0
    assert found.value("sync_upstream_lost_records_total", flow=MIRROR.name) == 4


def test_unsettled_letters_and_waiting_keys_are_counted(told, citizen):
    for offset, (reason, status) in enumerate([("wrong_type", "open"), ("wrong_type", "replayed"), ("wrong_type", "closed")]):
        citizen.execute(LETTER, (MIRROR.name, offset, reason, status))
    for offset, key in enumerate("aab"):
        citizen.execute(PARKED, (MIRROR.name, offset, key))
    citizen.execute("INSERT INTO sync.flow_state (flow, state) VALUES (%s, 'stopped')", (MIRROR.name,))
    found = told(Database.CITIZEN)
    assert found.value("sync_dead_letters_open", flow=MIRROR.name, reason="wrong_type") == 2
    assert found.value("sync_parked_keys", flow=MIRROR.name) == 2
    assert found.value("sync_flow_state", flow=MIRROR.name, state="stopped") == 1


def test_runs_are_counted_over_a_week_and_the_newest_tells_its_result(told, citizen):
    for days, state in ((8, "failed"), (3, "succeeded"), (2, "succeeded"), (1, "failed"), (0.5, "coalesced")):
        citizen.execute(RUN, {"days": days, "state": state})
    found = told(Database.CITIZEN)
    week = {
        result: found.value("sync_job_runs_week", batch_job="scheme_master", result=result)
        for result in ("succeeded", "failed", "coalesced")
    }
    assert week == {"succeeded": 2, "failed": 1, "coalesced": 1}
    assert found.value("sync_job_last_result", batch_job="scheme_master", result="failed") == 1, "the coalesced one did no work"
    assert found.value("sync_job_last_success_timestamp_seconds", batch_job="scheme_master") is not None


def test_the_newest_comparison_of_all_keys_counts_and_one_under_way_hides_no_result(told, warehouse):
    warehouse.execute(COMPARISON, ("1", None, "done", None, FOUND % 6))
    warehouse.execute(COMPARISON, ("2", None, "done", None, FOUND % 4))
    warehouse.execute(COMPARISON, ("3", "a", "done", None, FOUND % 0))
    warehouse.execute(COMPARISON, ("4", None, "undecided", "the source does not answer", "{}"))
    found = told(Database.WAREHOUSE)
    flow = {"flow": FEEDBACK.name}
    assert found.value("sync_reconciliation_state", state="undecided", **flow) == 1
    assert found.value("sync_reconciliation_compared_rows", **flow) == 70
    assert found.value("sync_reconciliation_differences", difference="different", **flow) == 3
    assert found.value("sync_reconciliation_unrepaired_rows", **flow) == 2


def test_a_slot_tells_what_it_retains(told, warehouse):
    warehouse.execute("SELECT pg_create_logical_replication_slot('sync_warehouse', 'pgoutput')")
    try:
        found = told(Database.WAREHOUSE)
        assert found.value("sync_slot_state", database="warehouse", state="reserved") == 1
        assert found.value("sync_slot_active", database="warehouse") == 0
        assert found.value("sync_slot_retained_bytes", database="warehouse") >= 0
    finally:
        warehouse.execute("SELECT pg_drop_replication_slot('sync_warehouse')")


def test_what_workers_report_is_who_reads_what(told, citizen, fresh_databases):
    flow, topic, number = every_partition()[0]
    state = json.dumps({"partitions": [{"flow": flow, "topic": topic, "partition": number, "lag_seconds": 1.5}]})
    insert = "INSERT INTO sync.worker (name, started_at, seen_at, state) VALUES (%s, now(), now() - %s * interval '1 second', %s)"
    citizen.execute(insert, ("worker-1", 20, state))
    citizen.execute(insert, ("worker-2", 0, "{}"))
    citizen.execute(LEDGER, (flow, number))
    with connect(fresh_databases.citizen) as connection:
        (held,) = ownership.reported(connection)
        assert (held.flow, held.topic, held.partition) == (flow, topic, number)
        assert 20 <= held.silent_seconds < 60
        assert len(ownership.silences(connection)) == 2
        (place,) = ownership.places(connection)
        assert (place.next_offset, place.source_time.isoformat()) == (12, "2025-01-15T12:00:00+00:00")
