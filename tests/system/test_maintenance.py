"""Maintenance as it is done: jobs pause, Connect is down, events wait in the source, callbacks go on; then all catches up."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from alerts.of_processes import CALLBACKS, WORKERS
from callbacks.settings import SenderSettings
from demo.history import Sizes
from flows.document_metadata import DOCUMENT_METADATA
from flows.golden_records import GOLDEN_RECORDS
from stack.ports import LOOPBACK
from tests.support.alert_receiver import alert_receiver
from tests.support.alert_watch import WITHIN, Watch
from tests.support.callback_load import Posting, draw_messages
from tests.support.commands import CommandFailed
from tests.support.platform import Platform
from tests.support.prometheus import prometheus
from tests.support.waiting import eventually
from tests.support.workers import Workers, supervised

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(900)]

FAMILIES = 1000
SIZES = Sizes(evaluations=2000, applications=50, documents=300, user_events=0, feedback=0)
SHORTENED = {
    "SYNC_NOTIFIER__INTERVAL": "1",
    "SYNC_BATCH__LOOK_INTERVAL": "0.5",
    "SYNC_BATCH__EVENTS_WAIT": "300",
    "SYNC_BATCH__ROWS_PER_SECOND": "100",
    "SYNC_BATCH__PEAK_ROWS_PER_SECOND": "100",
    "SYNC_ALERTS__PATIENCE": "0.02",
    "SYNC_ALERTS__HEARTBEAT_SILENCE": "12",
    "SYNC_ALERTS__SLOT_BYTES": str(100 * 2**20),
}
JOB = "golden_records_daily"
MESSAGES, RATE = 60, 20.0
SEGMENTS = 8  # of 16 MiB
BROUGHT_WITH_IT = ("SyncHeartbeatSilent", "SyncBlind")
RECENT = "UPDATE public.golden_records SET updated_at = clock_timestamp()"
DAMAGED = "SELECT count(*) FROM public.profile_data WHERE city = 'damaged'"
WAITING = """
SELECT NOT active AND confirmed_flush_lsn < %s::pg_lsn FROM pg_replication_slots WHERE slot_name = 'sync_warehouse'
"""
POSTED = "SELECT forecast_id::text FROM benefit_forecasts UNION ALL SELECT alert_id::text FROM ml_alerts"


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
def intake(installation):
    with supervised(installation, 0, "callbacks=1"):
        yield f"{LOOPBACK}:{installation.environment['SYNC_CALLBACKS__PORT']}"


@pytest.fixture(scope="module")
def watch(installation, workers, receiver, intake):
    installation.settle_all()
    folder, port = installation.stack.folder, installation.stack.ports.reserve("prometheus")
    targets = {WORKERS: [workers["worker-1"].address.removeprefix("http://")], CALLBACKS: [intake]}
    with prometheus(folder, port, installation.environment, targets) as server:
        yield Watch(receiver, server)


@pytest.fixture
def begun(installation):
    """A run of the job that has much to put right, behind its first chunk; how many rows it will have read."""
    installation.warehouse.rows(RECENT)
    installation.settle_all()
    installation.citizen.rows("UPDATE public.profile_data SET city = 'damaged'")
    installation.command("jobs", "run", JOB, "--force")
    eventually(lambda: run_of(installation)["chunks"], "its first chunk is written", within=WITHIN)
    return installation.warehouse.value("SELECT count(*) FROM public.golden_records")


@contextmanager
def connect_down(installation):
    """No connector reads while the block runs."""
    connect = installation.stack.connect
    connect.stop()
    try:
        yield
    finally:
        connect.start()
        connect.wait_ready()


def run_of(installation):
    return installation.command("jobs", "show", JOB)


def becomes(installation, state):
    def has_become():
        run = run_of(installation)
        return run if run["state"] == state else None

    return eventually(has_become, f"the run is {state}", within=2 * WITHIN)


def all_read(installation, run, rows):
    """The run has read every row once and put every row right, and the target is what the oracle says."""
    assert (run["rows_read"], run["rows_written"], run["rows_missed"], run["rows_failed"]) == (rows, rows, rows, 0)
    assert installation.citizen.value(DAMAGED) == 0
    installation.become_right_all([GOLDEN_RECORDS])


def change_both(installation):
    """Changes in both databases; returns the log's position in the warehouse behind them."""
    installation.change(200)
    installation.citizen.rows("UPDATE public.documents SET file_name = left(file_name, 240) || ' (renamed)'")
    return installation.warehouse.value("SELECT pg_current_wal_lsn()::text")


def posting(installation, intake):
    senders = SenderSettings(_env_file=installation.environment["SYNC_ENV_FILE"]).callbacks.senders
    keys = {name: sender.keys[0].get_secret_value() for name, sender in senders.items()}
    return Posting(f"http://{intake}", keys, draw_messages(1, MESSAGES), RATE)


def callbacks_go_on(installation, intake):
    with posting(installation, intake) as posted:
        pass
    assert posted.answered
    there = lambda: posted.answered.keys() <= {key for (key,) in installation.citizen.rows(POSTED)}  # noqa: E731
    eventually(there, "what was posted stands in the portal", within=WITHIN)


def write_log(administrator):
    """So much that the slot, which nobody reads, keeps more than it should."""
    for _ in range(SEGMENTS):
        administrator.rows("CREATE TABLE ballast (); SELECT pg_switch_wal()")
        administrator.rows("DROP TABLE ballast")


def test_connect_is_down_while_maintenance_goes_on_and_everything_is_caught_up_afterwards(installation, watch, intake, begun):
    installation.command("maintenance", "start", "--reason", "Connect moves to another host")
    paused = becomes(installation, "paused")
    assert "maintenance" in paused["reason"]
    assert 0 < paused["rows_read"] < begun
    with connect_down(installation):
        ends, position = installation.ends(), change_both(installation)
        write_log(installation.warehouse)
        callbacks_go_on(installation, intake)
        watch.fires("SyncSlotRetains", database="warehouse")
        assert watch.silent(*BROUGHT_WITH_IT, "SyncConnectorDown", "SyncConnectorTaskFailed", "SyncJobLate", "SyncLag")
        assert installation.warehouse.value(WAITING, (position,)), "the events wait in the slot"
        assert installation.ends() == ends, "and not in Kafka"
        assert run_of(installation)["rows_read"] == paused["rows_read"], "the run rests"
        installation.command("maintenance", "stop")
        for alert in BROUGHT_WITH_IT:
            watch.fires(alert)  # what maintenance was good for has not ended yet
    for alert in (*BROUGHT_WITH_IT, "SyncSlotRetains"):
        watch.goes_silent(alert)
    installation.settle_all()
    installation.become_right_all([DOCUMENT_METADATA])
    installation.become_right()
    all_read(installation, becomes(installation, "succeeded"), begun)


def test_maintenance_ends_by_itself_and_the_run_goes_on(installation, watch, begun):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=75)
    installation.command("maintenance", "start", "--until", until.isoformat(), "--reason", "a short one")
    becomes(installation, "paused")
    with pytest.raises(CommandFailed, match="--force"):
        installation.command("jobs", "run", "feedback")
    run = becomes(installation, "succeeded")
    assert datetime.fromisoformat(run["ended_at"]) > until
    assert installation.command("maintenance", "show") == {"warehouse": [], "citizen": []}
    all_read(installation, run, begun)
    assert watch.silent("SyncMaintenanceOverrun", "SyncJobFailed")
