"""`connect reset` against a Kafka Connect that is made up, and a source whose slot comes and goes."""

import json
from dataclasses import replace

import httpx
import pytest
from typer.testing import CliRunner

from cli import connect, connect_rest, connector_reset
from cli.app import app
from cli.connect_rest import ConnectRest
from cli.connector_reset import Order, Reset, reset_connector
from cli.options import actor
from flows.registry import flows_from
from flows.tables import Database
from sinks.operations.audit import RefusedError
from sinks.operations.flow_control import FlowStatus
from sinks.operations.slots import Slot

NAME = "sync_warehouse"
ORDER = Order("somebody", "the slot was lost", force=False, timeout=5)
HEALTHY, LOST = Slot("reserved", complete=True), Slot("lost", complete=True)
NOT_YET = Slot("reserved", complete=False)


class Connect:
    """Kafka Connect with one connector. ``refusals``: how often it says that the tasks have not ended yet."""

    def __init__(self):
        self.calls = []
        self.state = "FAILED"
        self.refusals = 2
        self.offsets_answer = httpx.Response(200, json={"message": "done"})

    def __call__(self, request):
        assert request.url.path.startswith(f"/connectors/{NAME}/")
        action = request.url.path.rpartition("/")[2]
        if action == "status":
            return self._status()
        self.calls.append((request.method, action))
        return getattr(self, f"_{action}")()

    def _status(self):
        tasks = [{"id": 0, "state": "RUNNING", "worker_id": "here"}] if self.state == "RUNNING" else []
        return httpx.Response(200, json={"connector": {"state": self.state, "worker_id": "here"}, "tasks": tasks})

    def _stop(self):
        self.state = "STOPPED"
        return httpx.Response(204)

    def _resume(self):
        self.state = "RUNNING"
        return httpx.Response(202)

    def _offsets(self):
        if self.refusals:
            self.refusals -= 1
            return httpx.Response(400, json={"message": "Connectors must be in the STOPPED state"})
        return self.offsets_answer


class World:
    """What the command does outside of Kafka Connect. ``slots``: what the source answers, the last one for good."""

    def __init__(self, monkeypatch):
        self.connect = Connect()
        self.rest = ConnectRest(httpx.Client(transport=httpx.MockTransport(self.connect), base_url="http://connect"))
        self.slots = [None, None, NOT_YET, HEALTHY]
        self.done = []
        monkeypatch.setattr(connect_rest, "PAUSE", 0)
        monkeypatch.setattr(connector_reset, "PAUSE", 0)
        monkeypatch.setattr(connector_reset, "replication_slot", self.slot)
        monkeypatch.setattr(connector_reset, "record", self.record)
        monkeypatch.setattr(connector_reset, "resync", self.resync)

    def slot(self, source, name):
        assert (source, name) == ("warehouse's session", NAME)
        return self.slots.pop(0) if len(self.slots) > 1 else self.slots[0]

    def record(self, target, actor, action, subject, reason):
        self.done.append((target, actor, action, subject, reason, list(self.connect.calls)))

    def resync(self, target, flow, actor, reason):
        assert self.slots == [HEALTHY], "before the new slot is complete a rebuild would miss what is committed meanwhile"
        self.done.append((target, actor, "resync", flow.name, reason, list(self.connect.calls)))
        return FlowStatus(flow.name, "running", None, None, None, 1)

    def reset(self, **changes):
        sessions = {Database.WAREHOUSE: "warehouse's session", Database.CITIZEN: "citizen's session"}
        return reset_connector(self.rest, sessions, Database.WAREHOUSE, replace(ORDER, **changes))


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


READERS = flows_from(Database.WAREHOUSE)
STEPS = [("PUT", "stop"), *[("DELETE", "offsets")] * 3, ("PUT", "resume")]


def test_the_connector_is_stopped_forgets_its_offsets_goes_on_and_its_flows_are_rebuilt_afterwards(world):
    done = world.reset()
    assert world.connect.calls == STEPS
    assert done.connector.running
    assert [rebuild.flow for rebuild in done.rebuilds] == [flow.name for flow in READERS]
    who_and_why = ("citizen's session", "somebody")
    assert world.done == [
        (*who_and_why, "reset connector", NAME, "the slot was lost", []),
        *[(*who_and_why, "resync", flow.name, "the slot was lost", STEPS) for flow in READERS],
    ]


def test_while_the_slot_is_not_lost_nothing_is_done(world):
    world.slots = [HEALTHY]
    with pytest.raises(RefusedError, match=r"not lost \(wal_status: reserved\).*connect restart`; --force"):
        world.reset()
    assert (world.connect.calls, world.done) == ([], [])


def test_a_lost_slot_that_is_still_there_must_be_dropped_first_and_the_refusal_says_how(world):
    world.slots = [LOST]
    with pytest.raises(RefusedError, match=r"`SELECT pg_drop_replication_slot\('sync_warehouse'\)`; then this command again"):
        world.reset()
    assert (world.connect.calls, world.done) == ([], [])


def test_force_begins_anew_although_the_slot_is_there(world):
    world.slots = [HEALTHY]
    assert world.reset(force=True).connector.running
    assert world.connect.calls == STEPS


def test_offsets_that_cannot_be_deleted_leave_the_connector_going_on_and_no_flow_rebuilt(world):
    world.connect.offsets_answer = httpx.Response(500, json={"message": "timed out"})
    with pytest.raises(RefusedError, match="answers 500 for /connectors/sync_warehouse/offsets: timed out"):
        world.reset()
    assert world.connect.calls == STEPS
    assert [action for _, _, action, *_ in world.done] == ["reset connector"]


def test_a_connector_that_does_not_read_in_time_is_told_with_the_rebuilds_that_are_still_to_be_asked_for(world):
    world.connect.refusals = 0
    world.slots = [None, NOT_YET]
    with pytest.raises(RefusedError, match=f"does not read yet: its slot is not ready.*`python -m cli resync {READERS[0].name}`"):
        world.reset(timeout=0)
    assert [action for _, _, action, *_ in world.done] == ["reset connector"]


@pytest.mark.parametrize("arguments", [("sync_nowhere", "--reason", "x"), ("sync_warehouse",)])
def test_an_unknown_name_or_no_reason_is_wrong_usage(arguments):
    assert CliRunner().invoke(app, ["connect", "reset", *arguments]).exit_code == 2


def test_the_command_resets_the_source_of_the_named_connector(world, minimal, monkeypatch):
    minimal()
    seen = []

    def reset(rest, sessions, source, order):
        seen.append((source, order))
        return Reset(world.rest.status(NAME), [FlowStatus(READERS[0].name, "running", None, None, None, 3)])

    monkeypatch.setattr(connect, "reset_connector", reset)
    result = CliRunner().invoke(app, ["connect", "reset", NAME, "--reason", "lost", "--timeout", "7", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rebuilds"][0]["resync"] == 3
    assert seen == [(Database.WAREHOUSE, Order(actor(), "lost", force=False, timeout=7))]
