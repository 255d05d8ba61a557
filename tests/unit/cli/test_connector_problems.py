import json
from itertools import product

import pytest
from typer.testing import CliRunner

from cli import connect
from cli.app import app
from cli.connect_rest import ConnectorStatus, TaskStatus
from cli.connector_problems import connector_problems

CLASS = "org.apache.kafka.connect.errors.ConnectException"
LOG = "Kafka Connect's log has the whole trace"


def connector(state, *tasks, trace=None):
    return ConnectorStatus("sync_warehouse", state, "here:8083", trace, [*tasks])


def task(state, trace=None, number=0):
    return TaskStatus(number, state, "here:8083", trace)


def test_what_runs_is_no_problem():
    assert connector_problems([connector("RUNNING", task("RUNNING"))]) == []


def test_a_failed_task_under_a_running_connector_is_named_with_its_cause_and_what_to_do():
    (problem,) = connector_problems([connector("RUNNING", task("RUNNING"), task("FAILED", f"{CLASS}: no slot", 1))])
    assert problem == (
        f"task 1 of connector sync_warehouse has failed: {CLASS}: no slot; `python -m cli connect restart` starts it again, {LOG}"
    )


def test_a_connector_and_its_task_that_both_failed_are_two_problems():
    problems = connector_problems([connector("FAILED", task("FAILED"), trace="why")])
    assert [problem.partition(";")[0] for problem in problems] == [
        "connector sync_warehouse has failed: why",
        "task 0 of connector sync_warehouse has failed: no cause given",
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (connector("MISSING"), "does not exist: `python -m cli connect apply` makes it"),
        (connector("STOPPED"), "is STOPPED: PUT /connectors/sync_warehouse/resume at Kafka Connect lets it go on"),
        (connector("PAUSED", task("PAUSED")), "is PAUSED: PUT /connectors/sync_warehouse/resume at Kafka Connect lets it go on"),
        (connector("RUNNING"), "has no task yet"),
        (connector("RUNNING", task("UNASSIGNED")), "is UNASSIGNED: Kafka Connect is moving it"),
        (connector("UNASSIGNED"), "is UNASSIGNED: Kafka Connect is moving it"),
    ],
)
def test_every_other_way_not_to_run_is_one_problem_that_says_what_to_do(status, words):
    (problem,) = connector_problems([status])
    assert words in problem


STATES = ("RUNNING", "PAUSED", "STOPPED", "UNASSIGNED", "RESTARTING", "FAILED")


@pytest.mark.parametrize("state", [*STATES, "MISSING"])
def test_there_is_a_problem_exactly_when_something_does_not_run(state):
    for tasks in [(), *product(STATES), *product(STATES, STATES)]:
        status = connector(state, *map(task, tasks))
        assert bool(connector_problems([status])) is not status.running, status


@pytest.fixture
def status(minimal, monkeypatch):
    """`connect status` of connectors that are made up."""
    minimal()

    def run(*connectors, options=()):
        monkeypatch.setattr(connect, "connector_statuses", lambda _: [*connectors])
        return CliRunner().invoke(app, ["connect", "status", *options])

    return run


def test_the_command_says_what_to_do_about_a_failed_task(status):
    shown = status(connector("RUNNING", task("FAILED", CLASS)))
    assert shown.exit_code == 1
    assert f"problem: task 0 of connector sync_warehouse has failed: {CLASS}; `python -m cli connect restart`" in shown.stdout


def test_the_document_has_the_problems_too_and_none_when_all_run(status):
    bad, good = (status(connector("RUNNING", task(state)), options=["--json"]) for state in ("FAILED", "RUNNING"))
    assert (bad.exit_code, len(json.loads(bad.stdout)["problems"])) == (1, 1)
    assert (good.exit_code, json.loads(good.stdout)["problems"]) == (0, [])
