"""Alerts on the real stack: whoever causes trouble is told of, and the remedy of the runbook ends it.

Two are asked: the notifier of a worker, and Prometheus with our rules. Thresholds are shortened by settings, nothing else is.
"""

from contextlib import contextmanager

import httpx
import pytest

from alerts.of_processes import CALLBACKS, WORKERS
from demo.history import Sizes
from stack.ports import LOOPBACK
from tests.support.alert_receiver import alert_receiver
from tests.support.alert_watch import WITHIN, Watch
from tests.support.platform import Platform
from tests.support.portal import FamilyInPortal
from tests.support.prometheus import prometheus
from tests.support.slot_limit import slots_limited_to
from tests.support.waiting import eventually
from tests.support.workers import Workers, supervised

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(240)]

FAMILIES = 60
SIZES = Sizes(evaluations=300, applications=30, documents=30, user_events=200, feedback=20)
SHORTENED = {
    "SYNC_NOTIFIER__INTERVAL": "1",
    "SYNC_BATCH__LOOK_INTERVAL": "0.5",
    "SYNC_BATCH__RETRY_PAUSE": "0.2",
    "SYNC_WAREHOUSE__LOCK_TIMEOUT": "120000",  # a run that somebody's lock holds up keeps its lane
    "SYNC_ALERTS__PATIENCE": "0.02",
    "SYNC_ALERTS__DEAD_LETTERS": "2",
    "SYNC_ALERTS__JOB_LATE": "2",
    "SYNC_ALERTS__JOB_PERIODS": "0.005",  # 18 s of the hourly job, seven minutes of the daily ones
    "SYNC_ALERTS__HEARTBEAT_SILENCE": "12",
    "SYNC_ALERTS__SLOT_BYTES": str(100 * 2**20),
}
SLOT_LIMIT = "160MB"
HELD = """
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) / (pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) + safe_wal_size)
FROM pg_replication_slots WHERE slot_name = 'sync_warehouse'
"""


@pytest.fixture(scope="module")
def receiver():
    with alert_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def installation(stack, receiver):
    platform = Platform(stack)
    platform.fill(FAMILIES, SIZES)
    platform.environment |= SHORTENED | {"SYNC_NOTIFIER__URL": receiver.url, "SYNC_NOTIFIER__KEY": receiver.key}
    platform.install()
    yield platform
    platform.close()


@pytest.fixture(scope="module", autouse=True)
def workers(installation):
    workers = Workers(installation)
    workers.start("worker-1")
    yield workers
    workers.kill_all()


@pytest.fixture(scope="module")
def watch(installation, workers, receiver):
    """Everything is caught up, and nobody has anything to tell."""
    installation.settle_all()
    folder, port = installation.stack.folder, installation.stack.ports.reserve("prometheus")
    environment = installation.environment
    targets = {
        WORKERS: [workers["worker-1"].address.removeprefix("http://")],
        CALLBACKS: [f"{LOOPBACK}:{environment['SYNC_CALLBACKS__PORT']}"],
    }
    with prometheus(folder, port, environment, targets) as server:
        yield Watch(receiver, server)


@contextmanager
def no_login(administrator):
    """Debezium's role may not log in while the block runs."""
    administrator.rows("ALTER ROLE sync_connect NOLOGIN")
    administrator.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sync_connect'")
    try:
        yield
    finally:
        administrator.rows("ALTER ROLE sync_connect LOGIN")


def fill_slot(administrator, share):
    """Write log until the slot holds so much of what it may."""
    while administrator.value(HELD) < share:
        administrator.rows("CREATE TABLE IF NOT EXISTS ballast (); SELECT pg_switch_wal()")
        administrator.rows("DROP TABLE ballast")


def run_ends(installation, job, state):
    eventually(lambda: installation.command("jobs", "show", job)["state"] == state, f"{job} has {state}", within=WITHIN)


def test_a_job_without_a_success_in_two_periods_is_told_until_it_succeeds(installation, watch):
    installation.command("jobs", "pause", "profile_summary_hourly", "--reason", "a test forgets it")
    watch.fires("SyncJobNoSuccess", batch_job="profile_summary_hourly")
    installation.command("jobs", "resume", "profile_summary_hourly")
    installation.command("jobs", "run", "profile_summary_hourly", "--force")
    watch.goes_silent("SyncJobNoSuccess", batch_job="profile_summary_hourly")
    assert watch.silent("SyncJobNoSuccess"), "the others have longer periods"


def test_too_many_dead_letters_are_told_until_their_rows_are_corrected(installation, watch):
    family = FamilyInPortal(installation)
    rows = [family.evaluate("0.50", scheme=scheme) for scheme in ("A", "B", "C")]
    family.shows("0.50", scheme="C")
    for row in rows[:2]:
        family.alter(row, "eligibility_score", "NaN")
    family.letter_of(rows[1])
    assert watch.silent("SyncDeadLetters"), "two are not too many"
    family.alter(rows[2], "eligibility_score", "NaN")
    watch.fires("SyncDeadLetters", flow="eligibility_hints")
    for row in rows:
        family.alter(row, "eligibility_score", "0.70")
    watch.goes_silent("SyncDeadLetters", flow="eligibility_hints")
    family.shows("0.70", scheme="C")


def test_a_job_that_failed_is_told_until_a_run_succeeds(installation, watch):
    installation.citizen.rows("REVOKE SELECT ON feedback FROM sync_worker")
    installation.command("jobs", "run", "feedback", "--force")
    run_ends(installation, "feedback", "failed")
    watch.fires("SyncJobFailed", batch_job="feedback")
    assert "42501" in installation.command("jobs", "show", "feedback")["reason"]
    installation.command("migrate")
    installation.command("jobs", "run", "feedback", "--force")
    run_ends(installation, "feedback", "succeeded")
    watch.goes_silent("SyncJobFailed", batch_job="feedback")


def test_a_job_that_is_late_is_told_until_its_lane_is_free(installation, watch):
    with installation.warehouse.connect() as somebody:
        somebody.execute("BEGIN; LOCK TABLE analytics.user_behavior")
        installation.command("jobs", "run", "user_behavior", "--force")
        run_ends(installation, "user_behavior", "running")
        installation.command("jobs", "run", "feedback", "--force")
        watch.fires("SyncJobLate", batch_job="feedback")
        somebody.execute("ROLLBACK")
    watch.goes_silent("SyncJobLate", batch_job="feedback")
    run_ends(installation, "feedback", "succeeded")


def test_a_connector_that_says_running_and_is_silent_is_told_until_the_publication_is_whole(installation, watch):
    installation.warehouse.rows("ALTER PUBLICATION sync_warehouse DROP TABLE sync.heartbeat")
    watch.fires("SyncHeartbeatSilent", database="warehouse")
    assert watch.silent("SyncConnectorDown", "SyncConnectorTaskFailed")
    installation.command("migrate")
    watch.goes_silent("SyncHeartbeatSilent", database="warehouse")


def test_a_broken_connector_and_what_its_slot_holds_are_told_until_it_reads_again(installation, watch):
    source = installation.warehouse
    of_source = ("SyncHeartbeatSilent", "SyncSlotHalf", "SyncSlotNearlyLost", "SyncSlotRetains")
    with slots_limited_to(source, SLOT_LIMIT):
        with no_login(source):
            watch.fires("SyncConnectorTaskFailed", connector="sync_warehouse")
            assert watch.silent("SyncSlotHalf", "SyncSlotRetains")
            fill_slot(source, 0.55)
            watch.fires("SyncSlotHalf", database="warehouse")
            assert watch.silent("SyncSlotNearlyLost")
            fill_slot(source, 0.82)
            for alert in of_source:
                watch.fires(alert, database="warehouse")
        installation.command("connect", "restart")
        watch.goes_silent("SyncConnectorTaskFailed", connector="sync_warehouse")
        for alert in of_source:
            watch.goes_silent(alert, database="warehouse")
    assert watch.silent("SyncSlotLost", "SyncUpstreamLoss")
    installation.become_right()


def test_a_connector_that_somebody_paused_is_told_until_it_goes_on(installation, watch):
    connector = f"{installation.settings.connect.url}/connectors/sync_citizen"
    httpx.put(f"{connector}/pause").raise_for_status()
    watch.fires("SyncConnectorDown", connector="sync_citizen")
    httpx.put(f"{connector}/resume").raise_for_status()
    watch.goes_silent("SyncConnectorDown", connector="sync_citizen")


def test_that_no_intake_answers_is_told_until_one_does(installation, watch):
    watch.fires("SyncNoCallbacks")
    with supervised(installation, 0, "callbacks=1"):
        watch.goes_silent("SyncNoCallbacks")
        assert watch.silent("SyncCallbacksNotReady")


def test_a_killed_worker_is_told_until_it_runs_again(workers, watch):
    workers["worker-1"].kill()
    watch.fires("SyncNoWorker")
    watch.fires("SyncTargetDown")
    workers.start("worker-1")
    watch.goes_silent("SyncNoWorker")
    watch.goes_silent("SyncTargetDown", job=WORKERS)


def test_every_message_was_signed_and_told_once(receiver):
    assert receiver.refused == 0
    told = [(each["alert"], tuple(each["labels"].items()), each["since"], each["type"]) for each in receiver.told]
    assert len(told) == len(set(told))
