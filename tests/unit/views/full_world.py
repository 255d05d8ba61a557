"""A made-up installation in which every page has something to show, also what looks bad."""

from __future__ import annotations

from datetime import timedelta

from sinks.operations.audit import Deed
from sinks.operations.flow_control import FlowStatus
from sinks.operations.jobs import Control
from sinks.operations.parked import ParkedKey
from sinks.operations.slots import Retention
from tests.unit.views.records_world import FLOW, NOON, RecordsWorld, document, letter, run
from tests.unit.views.world import World
from views.frame import Window
from views.records import Connector, ConnectorTask, PlannedRun, ShownSetting

HOUR = timedelta(hours=1)
#: Every page, each with something to show.
PATHS = (
    "/",
    f"/flows/{FLOW}",
    f"/flows/{FLOW}?hours=24",
    "/jobs",
    "/dead-letters",
    "/dead-letters/citizen/7",
    "/reconciliations",
    "/reconciliations/2025-01-12T03",
    "/connectors",
    "/workers",
    "/callbacks",
    "/audit",
    "/configuration",
)


def fill(world: World) -> World:
    """Put something into every page."""
    world.control = [FlowStatus(FLOW, "paused", "the target is rebuilt", "asha", NOON, 0)]
    world.letters = {FLOW: 2}
    fill_records(world.records)
    return world


def fill_records(records: RecordsWorld) -> None:
    records.maintenance = [Window(NOON - HOUR, NOON + HOUR, "disk swap")]
    records.held = [letter(7), letter(8, status="discarded", closed_at=NOON, closed_by="asha", close_reason="a test")]
    records.reasons = {FLOW: {"out_of_range": 2}}
    records.waiting_keys = [ParkedKey(FLOW, "key-1", "family-9", 2, NOON - HOUR, NOON + HOUR, "waiting")]
    running = run(0, "running", ended_at=None, rows_read=250, rows_written=150, rows_expected=1000, owner="worker-a")
    failed = run(1, "failed", reason="UniqueViolation in chunk 3")
    records.job_runs = [running, failed, *(run(number) for number in range(2, 30))]
    records.paused = {"user_behavior": Control("user_behavior", True, "counts look odd", "asha", NOON)}  # noqa: FBT003
    records.coming = [PlannedRun("feedback", NOON + HOUR, "deferred", NOON + 2 * HOUR, "deferred: maintenance")]
    records.documents = [document("2025-01-12T03"), document("2025-01-05T03", verdict="differs", repairs=False)]
    task = ConnectorTask(0, "failed", "connect-1", "ConnectException: no slot")
    wrong = ("task 0 of connector sync_citizen has failed",)
    records.connected = [
        Connector("sync_warehouse", "running", "connect-1", None, (ConnectorTask(0, "running", "connect-1", None),), ()),
        Connector("sync_citizen", "running", "connect-1", None, (task,), wrong),
    ]
    records.kept = [Retention("sync_warehouse", True, "reserved", 600 * 2**20, 400 * 2**20)]  # noqa: FBT003
    records.deeds = [Deed(number, NOON - number * HOUR, "asha", "pause", FLOW, "the target is rebuilt") for number in range(3)]
    records.settings = [
        ShownSetting("SYNC_WAREHOUSE__PASSWORD", "set, not shown", ""),
        ShownSetting("SYNC_WORKER__WEB_PORT", "6066", ""),
    ]
