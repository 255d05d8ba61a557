import asyncio
import json
import uuid
from contextlib import contextmanager

import httpx
import pytest

from cli.connector_keeper import kept_connectors
from cli.topics import ensure_topics
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.registry import FLOWS, flows_from
from flows.tables import Database
from schemas.topics import Topic, all_topics
from sinks.operations.audit import RefusedError
from tests.support.connectors import forget_connectors
from tests.support.waiting import eventually

CONNECTOR = "sync_warehouse"
INSERT = """
INSERT INTO eligibility.eligibility_snapshots (snapshot_id, family_id, scheme_code, evaluation_status, explanation,
    eligibility_score, evaluation_timestamp, secret) VALUES (%s, %s, 'S', 'RULE_ELIGIBLE', %s, 0.5, now(), 'private')
"""


@pytest.fixture
def rest(settings):
    with httpx.Client(base_url=settings.connect.url, timeout=30) as client:
        yield client


@pytest.fixture
def source(migrated):
    """The warehouse with a column that no flow reads and a row that is older than the connector."""
    migrated.warehouse.execute("ALTER TABLE eligibility.eligibility_snapshots ADD COLUMN secret text")
    migrated.warehouse.execute(INSERT, (1, uuid.uuid4(), "before the start"))
    return migrated.warehouse


@pytest.fixture
def without_connector(settings):
    """Begin and end without connector, so that its first act is a snapshot and its tables can go."""
    forget_connectors(settings.connect.url)
    yield
    forget_connectors(settings.connect.url)


def test_apply_brings_rows_of_the_source_to_kafka_and_nothing_but_the_flows_columns(
    answer, source, rest, records, without_connector
):
    assert answer("connect", "status", code=1)["connectors"][0]["state"] == "MISSING"

    applied = answer("connect", "apply")
    assert [each["state"] for each in applied["connectors"]] == ["RUNNING", "RUNNING"]
    assert set(applied["topics_created"]) <= {topic.name for topic in all_topics(FLOWS)}

    family = uuid.uuid4()
    source.execute(INSERT, (2, family, "x" * 2_000_000))
    source.execute("UPDATE eligibility.eligibility_snapshots SET scheme_code = 'T' WHERE snapshot_id = 2")
    source.execute("DELETE FROM eligibility.eligibility_snapshots WHERE snapshot_id = 2")

    def of_family():
        found = records(ELIGIBILITY_HINTS.topic)
        return [record for record in found if json.loads(record.key) == {"family_id": str(family)}]

    eventually(lambda: len(of_family()) == 4, "insert, update, delete and tombstone arrive", within=60)
    found, of_family = records(ELIGIBILITY_HINTS.topic), of_family()
    events = [record.value and json.loads(record.value) for record in of_family]
    assert [event and event["op"] for event in events] == ["c", "u", "d", None]
    columns = {column.name for column in ELIGIBILITY_HINTS.source.columns}
    assert [set(event["after"]) for event in events[:2]] == [columns, columns]
    assert events[0]["after"]["eligibility_score"] == "0.5000"
    assert events[0]["after"]["evaluation_timestamp"].endswith("Z")
    assert len({record.partition for record in of_family}) == 1
    assert "private" not in str([record.value for record in found])
    early = [json.loads(record.value) for record in found if b"before the start" in (record.value or b"")]
    assert {event["op"] for event in early} == {"r"}
    eventually(lambda: records("warehouse.sync.heartbeat"), "the heartbeat arrives", within=30)

    configuration = rest.get(f"/connectors/{CONNECTOR}/config").json()
    assert configuration["database.password"] == "${env:SYNC_WAREHOUSE_CONNECT__PASSWORD}"

    again = answer("connect", "apply")
    assert again["topics_created"] == []
    assert rest.get(f"/connectors/{CONNECTOR}/config").json() == configuration
    assert answer("connect", "status")["connectors"][0]["tasks"][0]["state"] == "RUNNING"


@contextmanager
def locked_out(source):
    """Take Debezium's role its login away: the task gives up, where it would wait for a database that is just down."""
    source.execute("ALTER ROLE sync_connect NOLOGIN")
    source.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'sync_connect'")
    try:
        yield
    finally:
        source.execute("ALTER ROLE sync_connect LOGIN")


def test_restart_brings_a_failed_connector_back(answer, source, rest, without_connector):
    answer("connect", "apply")
    with locked_out(source):
        eventually(lambda: task_state(rest) == "FAILED", "the task has given up", within=60)
    answer("connect", "restart")
    assert task_state(rest) == "RUNNING"


def test_a_kept_connector_is_restarted_until_it_runs(answer, source, settings, rest, without_connector):
    answer("connect", "apply")
    said = []
    with kept_connectors(settings, said.append):
        with locked_out(source):
            eventually(lambda: len(said) > 1, "it is restarted in vain", within=60)
        eventually(lambda: task_state(rest) == "RUNNING" and reading(source), "changes are read again", within=60)
    assert said[0].startswith("connector sync_warehouse has failed (")


def test_the_keeper_outlasts_connect_itself(answer, source, settings, stack, rest, without_connector):
    answer("connect", "apply")
    said = []
    with kept_connectors(settings, said.append):
        stack.connect.kill()
        eventually(lambda: said, "the keeper says that nobody answers", within=30)
        stack.connect.start()
        stack.connect.wait_ready()
        eventually(lambda: reading(source), "changes are read again", within=60)
    assert "Kafka Connect does not answer" in said[0]


def test_a_connector_whose_slot_is_gone_is_begun_anew_and_its_flow_rebuilt(answer, sync, source, rest, without_connector):
    answer("connect", "apply")
    eventually(lambda: reading(source), "it reads changes", within=60)
    refused = sync("connect", "reset", CONNECTOR, "--reason", "a test")
    assert refused.exit_code == 1
    assert f"slot {CONNECTOR} is not lost" in refused.stderr

    rest.put(f"/connectors/{CONNECTOR}/stop").raise_for_status()
    eventually(lambda: not reading(source), "it has let the slot go", within=30)
    source.execute("SELECT pg_drop_replication_slot(%s)", (CONNECTOR,))
    rest.put(f"/connectors/{CONNECTOR}/resume").raise_for_status()
    eventually(lambda: task_state(rest) == "FAILED", "its task finds the slot gone", within=60)
    problems = answer("status", code=1)["problems"]
    assert any(problem.startswith(f"task 0 of connector {CONNECTOR} has failed: ") for problem in problems), problems

    done = answer("connect", "reset", CONNECTOR, "--reason", "a test")
    assert [(each["flow"], each["resync"]) for each in done["rebuilds"]] == [
        (flow.name, 1) for flow in flows_from(Database.WAREHOUSE)
    ]
    eventually(lambda: reading(source), "it reads changes again", within=60)


def reading(source):
    """Whether a connector reads from the slot."""
    query = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"
    return source.execute(query, (CONNECTOR,)).fetchone() == (True,)


def task_state(rest):
    tasks = rest.get(f"/connectors/{CONNECTOR}/status").json()["tasks"]
    return tasks[0]["state"] if tasks else "NONE"


def test_a_configuration_that_cannot_work_is_refused_with_the_reason(sync, migrated, shell):
    shell.setenv("SYNC_WAREHOUSE_CONNECT__USER", "nobody")
    refused = sync("connect", "apply")
    assert refused.exit_code == 1
    assert "Kafka Connect refuses connector sync_warehouse" in refused.stderr


def test_all_that_is_not_set_is_named_at_once(sync, shell, settings):
    del settings
    shell.setenv("SYNC_ENV_FILE", "/dev/null")
    refused = sync("connect", "apply")
    assert refused.exit_code == 2
    assert all(
        f"SYNC_{name} is not set" in refused.stderr for name in ("WAREHOUSE__HOST", "CITIZEN__DBNAME", "KAFKA__BOOTSTRAP_SERVERS")
    )


def test_a_topic_with_another_number_of_partitions_is_refused(settings, sync, topics):
    with pytest.raises(RefusedError, match="has 10 partitions, the flow says 4"):
        asyncio.run(ensure_topics(settings.kafka, [Topic(ELIGIBILITY_HINTS.topic, 4)]))


def test_restart_of_a_connector_that_does_not_exist_says_what_to_do(sync, without_connector):
    refused = sync("connect", "restart")
    assert refused.exit_code == 1
    assert "`python -m cli connect apply` makes it" in refused.stderr
