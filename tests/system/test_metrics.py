"""What real workers tell Prometheus: everything of the list and nothing else, and a lag that is true."""

import time

import httpx
import pytest

from metrics.catalogue import METRICS
from metrics.model import Scope
from tests.support.records import partition_of_family
from tests.support.scrape import scrape
from tests.support.slot_limit import slots_limited_to
from tests.support.waiting import absent, eventually

FAMILIES = 60
SNAPSHOTS = 400

#: Seconds by which a lag may be wrong.
TOLERANCE = 2.0

REWORD = "UPDATE eligibility.eligibility_snapshots SET explanation = %s WHERE family_id = %s"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'sync_worker'"
# What a quiet installation does not have: a run at work, one that ended, maintenance, a dead letter, a comparison.
PLANTED = """
INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, owner, lease_until, rows_expected, started_at)
VALUES ('golden_records_daily', now() - interval '2 minutes', 'golden', 'running', now(), 'someone', now() + interval '1 hour',
        10, now());
INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, rows_read, rows_written, started_at, ended_at)
VALUES ('golden_records_daily', now() - interval '1 day', 'golden', 'succeeded', now(), 4, 4, now() - interval '1 minute', now());
INSERT INTO sync.maintenance (starts_at, ends_at, reason, asked_by) VALUES (now(), now() + interval '1 hour', 'a test', 'a test');
INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail)
VALUES ('golden_records', 't', 0, 1, 'wrong_type', 'x');
INSERT INTO sync.reconciliation (run, flow, repairs, state, progress) VALUES ('1', 'golden_records', true, 'done',
    '{"expected": 7, "missing": 1, "extra": 2, "different": 3, "repaired": 4}');
"""


def lag(installation, worker, partition):
    """Lag in seconds of a partition of the flow as that worker tells it, or None."""
    labels = {"flow": installation.flow.name, "topic": installation.flow.topic, "partition": str(partition)}
    return scrape(worker.address).value("sync_partition_lag_seconds", **labels)


def families(installation):
    """Partition → a family whose records are in it, and that has hints."""
    found = installation.citizen.rows("SELECT DISTINCT family_id::text FROM eligibility_hints ORDER BY 1")
    return {partition_of_family(family): family for (family,) in found}


def stays_true(installation, worker, partition, since, seconds, why):
    """The lag is the time since the change, in every scrape of so many seconds; returns how many told it."""
    told, until = 0, time.time() + seconds
    while time.time() < until:
        youngest = time.time() - since
        found = lag(installation, worker, partition)
        oldest = time.time() - since  # the machine may be slow; the answer was true at some moment between
        if found is not None:
            told += 1
            assert youngest - TOLERANCE < found < oldest + TOLERANCE, f"{why}: {found:.1f} s, and it is {oldest:.1f} s"
        time.sleep(0.25)  # what is looked at is a span of time
    return told


@pytest.mark.timeout(240)
def test_a_worker_tells_every_metric_of_the_list_and_nothing_else(installation, workers, say):
    workers.start("worker-1")
    installation.change(20)  # rows of a snapshot have no time of their own
    installation.become_right()
    with slots_limited_to(installation.citizen, "10GB"):
        with installation.citizen.connect() as citizen:
            citizen.execute(PLANTED)
        wanted = {series for metric in METRICS.values() if metric.scope is not Scope.CALLBACKS for series in metric.series}

        absent(lambda: wanted - scrape(workers["worker-1"].address).samples.keys(), "all are told", within=30)
        found = scrape(workers["worker-1"].address)
    assert found.samples.keys() == wanted
    for name, series in found.samples.items():
        metric = next(each for each in METRICS.values() if name in each.series)
        labels = set(metric.labels) | ({"le"} if name.endswith("_bucket") else set())
        assert all({label for label, _ in each} == labels for each in series), name
    assert found.value("sync_job_progress_ratio", batch_job="golden_records_daily") == 0
    assert found.value("sync_reconciliation_unrepaired_rows", flow="golden_records") == 2
    assert found.value("sync_slot_state", database="warehouse", state="reserved") == 1
    assert found.value("sync_connector_state", connector="sync_warehouse", state="running") == 1
    assert found.value("sync_heartbeat_age_seconds", database="citizen") < 15
    assert found.value("sync_maintenance_active") == 1
    assert found.value("sync_worker_ready") == 1
    quickest = min(scrape(workers["worker-1"].address).seconds for _ in range(10))
    say(f"scrape of {sum(map(len, found.samples.values())):,} series: {quickest * 1000:.0f} ms")
    with installation.citizen.connect() as citizen:
        citizen.execute("TRUNCATE sync.job_run CASCADE; TRUNCATE sync.maintenance, sync.reconciliation, sync.dead_letter CASCADE")


@pytest.mark.campaign
@pytest.mark.timeout(240)
def test_lag_is_true_caught_up_idle_stuck_paused_and_without_an_owner(installation, workers):
    workers.start("worker-1", "worker-2")
    installation.become_right()
    installation.settle()
    owned, by_partition = workers.partitions("open"), families(installation)
    dying, staying = workers["worker-1"], workers["worker-2"]
    mine = next(number for number in owned[staying.name] if number in by_partition)
    orphan = next(number for number in owned[dying.name] if number in by_partition)
    eventually(lambda: lag(installation, staying, mine) == 0, "level with the log, there is no lag", within=10)

    with installation.citizen.connect() as portal, portal.transaction():
        portal.execute("SELECT FROM eligibility_hints WHERE family_id = %s FOR UPDATE", (by_partition[mine],))
        installation.warehouse.rows(REWORD, ("reworded", by_partition[mine]))
        since = time.time()
        eventually(lambda: installation.citizen.value(WAITING), "the lane is stuck", within=20)
        assert stays_true(installation, staying, mine, since, 3, "stuck") > 0
    eventually(lambda: lag(installation, staying, mine) == 0, "the lane goes on", within=10)

    installation.command("pause", installation.flow.name, "--reason", "a test")
    workers.wait_for_state("paused")
    for number in (mine, orphan):
        installation.warehouse.rows(REWORD, ("reworded again", by_partition[number]))
    since = time.time()
    assert stays_true(installation, staying, mine, since, 3, "paused") > 0

    dying.kill()
    assert lag(installation, staying, orphan) is None, "it is not his yet"
    assert stays_true(installation, staying, orphan, since, 12, "its owner is dead, then it has a new one") > 1
    installation.command("resume", installation.flow.name)
    eventually(lambda: lag(installation, staying, orphan) == 0, "all is read", within=30)
    idle = scrape(staying.address)
    assert {value for labels, value in idle.samples["sync_partition_lag_seconds"].items() if ("flow", "feedback") in labels} <= {
        0.0
    }
    assert httpx.get(f"{staying.address}/livez").text == "live\n"
    assert "[+] recovered" in httpx.get(f"{staying.address}/readyz?verbose").text
