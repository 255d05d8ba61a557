import json

import psycopg
import pytest

from cli.errors import message
from cli.sample import rates, take_sample
from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from settings import load_settings

STATE = {
    "pid": 42,
    "host": "here",
    "rss_bytes": 2**27,
    "partitions": [
        {"flow": FLOW.name, "topic": FLOW.topic, "partition": number, "lag_records": 5, "lag_seconds": number / 10}
        for number in (0, 1, 2, 7)
    ],
    "flows": [{"flow": FLOW.name, "p50_ms": 20.0, "p99_ms": 40.0}],
}
WORKER = """
INSERT INTO sync.worker (name, started_at, seen_at, web_url, state)
VALUES (%s, now(), now() - %s * interval '1 second', 'http://127.0.0.1:1/', %s)
"""


@pytest.fixture
def worker(migrated):
    def report(name, *, seconds_ago=0, state=STATE):
        migrated.citizen.execute(WORKER, (name, seconds_ago, json.dumps(state)))

    return report


@pytest.fixture
def ledger(migrated):
    migrated.citizen.execute(
        "INSERT INTO sync.ledger (flow, topic, partition, first_offset, next_offset, records_read, applied, superseded)"
        " VALUES (%s, %s, 0, 0, 0, 0, 0, 0), (%s, %s, 1, 10, 25, 15, 10, 5)",
        (FLOW.name, FLOW.command_topic, FLOW.name, FLOW.topic),
    )


def test_status_shows_flows_positions_letters_workers_and_connectors(answer, worker, ledger, topics):
    worker("worker-1")
    report = answer("status", code=1)
    missing = "connector {} does not exist: `python -m cli connect apply` makes it"
    assert report["problems"] == [missing.format(name) for name in ("sync_warehouse", "sync_citizen")]
    (flow,) = [each for each in report["flows"] if each["status"]["flow"] == FLOW.name]
    assert flow["status"]["state"] == "running"
    assert (flow["dead_letters"], flow["parked"]) == ({}, {})
    positions = {(each["position"]["topic"], each["position"]["partition"]): each for each in flow["partitions"]}
    assert positions[FLOW.topic, 1]["position"]["applied"] == 10
    assert positions[FLOW.topic, 1]["end_offset"] is not None
    assert [each["name"] for each in report["workers"]] == ["worker-1"]


JOB_RUN = """
INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, reason)
VALUES (%s, now() - interval '1 hour', %s, %s, now() - %s * interval '1 minute', %s)
"""


def test_a_job_that_failed_or_is_late_and_a_flow_that_has_lost_changes_are_problems(answer, worker, migrated):
    worker("worker-1")
    migrated.citizen.execute(JOB_RUN, ("scheme_master", "schemes", "failed", 60, "the source is empty"))
    migrated.citizen.execute(JOB_RUN, ("profile_summary_full", "profiles", "scheduled", 16, None))
    migrated.citizen.execute(JOB_RUN, ("golden_records_daily", "golden", "deferred", -30, "maintenance"))
    migrated.citizen.execute(
        "INSERT INTO sync.upstream_loss (flow, kind, detail, resync, found_by) VALUES (%s, 'slot', 'it is gone', 0, 'worker-1')",
        (FLOW.name,),
    )
    report = answer("status", code=1)
    assert {
        "job scheme_master failed: the source is empty",
        "job profile_summary_full is late: no worker has begun it",
        f"flow {FLOW.name} has lost changes: it is gone",
    } < set(report["problems"])
    jobs = {job["job"]: job for job in report["jobs"]}
    assert [jobs[name]["late"] for name in ("scheme_master", "profile_summary_full", "golden_records_daily")] == [
        False,
        True,
        False,
    ]
    assert (jobs["user_behavior"]["last"], jobs["user_behavior"]["state"]) == (None, None)
    assert jobs["golden_records_daily"]["next_slot"].endswith("01:00:00+00:00")


def test_a_stopped_flow_and_a_silent_worker_are_problems(answer, worker, migrated):
    worker("worker-1", seconds_ago=60)
    migrated.citizen.execute("INSERT INTO sync.flow_state (flow, state, reason) VALUES (%s, 'stopped', 'why')", (FLOW.name,))
    problems = answer("status", code=1)["problems"]
    assert f"flow {FLOW.name} is stopped: why" in problems
    assert "no worker runs" in problems


def test_people_see_which_worker_owns_what_and_which_is_stale(sync, worker, ledger):
    worker("worker-1")
    worker("worker-2", seconds_ago=60)
    shown = sync("status").stdout
    assert f"{FLOW.name} 0-2, 7" in shown
    (stale,) = [line for line in shown.splitlines() if "stale" in line]
    assert stale.startswith("worker-2")
    assert " UTC · " in stale


def test_what_cannot_be_asked_does_not_hide_the_rest(answer, worker, shell):
    worker("worker-1")
    shell.setenv("SYNC_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9")
    shell.setenv("SYNC_CONNECT__URL", "http://127.0.0.1:9")
    report = answer("status", code=1)
    assert any(problem.startswith("Kafka: KafkaConnectionError") for problem in report["problems"])
    assert any(problem.startswith("Kafka Connect does not answer") for problem in report["problems"])
    assert [each["name"] for each in report["workers"]] == ["worker-1"]


def test_a_database_that_is_not_there_is_a_problem_without_traceback(sync, answer, shell):
    shell.setenv("SYNC_CITIZEN__PORT", "9")
    assert any("the database cannot be used" in problem for problem in answer("status", code=1)["problems"])
    refused = sync("pause", FLOW.name)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: the database cannot be used")


def test_a_refusal_of_the_database_is_told_without_the_values_that_postgresql_quotes(migrated):
    statement = "INSERT INTO sync.worker (name, started_at, seen_at, state) VALUES ('SECRET', now(), now(), '{}')"
    migrated.citizen.execute(statement)
    with pytest.raises(psycopg.errors.UniqueViolation, match="SECRET") as caught:
        migrated.citizen.execute(statement)
    told = message(caught.value)
    assert "duplicate key value" in told
    assert "23505" in told
    assert "SECRET" not in told


def test_a_sample_adds_up_ledger_and_live_workers(settings, worker, ledger, migrated):
    worker("worker-1")
    worker("worker-2", seconds_ago=60, state=STATE | {"flows": [{"flow": FLOW.name, "p50_ms": 9e9, "p99_ms": 9e9}]})
    earlier = take_sample(settings)
    (flow,) = [each for each in earlier.flows if each.flow == FLOW.name]
    assert (flow.events, flow.lag_records, flow.lag_seconds, flow.p50_ms, flow.p99_ms) == (15, 20, 0.7, 20.0, 40.0)
    migrated.citizen.execute(
        "UPDATE sync.ledger SET next_offset = 30, records_read = 20, applied = 15 WHERE topic = %s", (FLOW.topic,)
    )
    later = take_sample(settings)
    seconds = (later.at - earlier.at).total_seconds()
    assert rates(earlier, later)[FLOW.name].events == pytest.approx(5 / seconds)


def test_a_sample_during_an_outage_says_so(settings, shell):
    shell.setenv("SYNC_CITIZEN__PORT", "9")
    sample = take_sample(load_settings())
    assert sample.flows == []
    assert "the database cannot be used" in sample.trouble
