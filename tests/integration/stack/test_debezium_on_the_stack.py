import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from stack.kafka import LARGEST_RECORD
from stack.local import LocalStack
from stack.waiting import wait_until

TOPIC = "probe.public.letters"
SETUP = (
    "CREATE TABLE letters (id int PRIMARY KEY, body text)",
    "ALTER TABLE letters REPLICA IDENTITY FULL",
    "GRANT SELECT ON letters TO sync_connect",
    "CREATE PUBLICATION probe FOR TABLE letters",
)
TEARDOWN = ("SELECT pg_drop_replication_slot('probe')", "DROP PUBLICATION probe", "DROP TABLE letters")
SLOT_IN_USE = "SELECT active FROM pg_replication_slots WHERE slot_name = 'probe'"
CONNECTOR = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "127.0.0.1",
    "database.dbname": "smart_warehouse",
    "database.user": "${env:SYNC_WAREHOUSE_CONNECT__USER}",
    "database.password": "${env:SYNC_WAREHOUSE_CONNECT__PASSWORD}",
    "plugin.name": "pgoutput",
    "slot.name": "probe",
    "publication.name": "probe",
    "publication.autocreate.mode": "disabled",
    "topic.prefix": "probe",
    "table.include.list": "public.letters",
    "topic.creation.default.partitions": "3",
    "topic.creation.default.replication.factor": "1",
    "poll.interval.ms": "5",
}


@pytest.fixture(scope="module")
def connector(stack, query):
    for statement in SETUP:
        query(stack, statement)
    url = f"{stack.connect.url}/connectors/probe"
    httpx.put(f"{url}/config", json=connector_config(stack), timeout=30).raise_for_status()
    assert wait_until(lambda: task_states(url) == ["RUNNING"], 30)
    yield url
    httpx.delete(url).raise_for_status()
    assert wait_until(lambda: query(stack, SLOT_IN_USE) == [(False,)], 30)
    for statement in TEARDOWN:
        query(stack, statement)


def connector_config(stack: LocalStack) -> dict[str, str]:
    return CONNECTOR | {"database.port": stack.env["SYNC_WAREHOUSE__PORT"]}


def task_states(url: str) -> list[str]:
    answer = httpx.get(f"{url}/status")
    return [task["state"] for task in answer.json()["tasks"]] if answer.is_success else []


def first_change(stack: LocalStack, wanted: Callable[[Any], bool]) -> Any:
    """Return the first change that is wanted. Debezium may send changes again after a restart."""
    return asyncio.run(read_until_change(stack, wanted))


async def read_until_change(stack: LocalStack, wanted: Callable[[Any], bool]) -> Any:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=stack.kafka.bootstrap_servers,
        auto_offset_reset="earliest",
        group_id=None,
        max_partition_fetch_bytes=LARGEST_RECORD,
        metadata_max_age_ms=500,
    )
    await consumer.start()
    try:
        consumer.subscribe([TOPIC])
        async with asyncio.timeout(60):
            async for record in consumer:
                change = json.loads(record.value)
                if wanted(change):
                    return change
    finally:
        await consumer.stop()


def test_a_committed_row_reaches_a_topic_that_connect_made_with_the_password_by_reference(stack, query, connector):
    query(stack, "INSERT INTO letters VALUES (1, 'hello')")
    change = first_change(stack, lambda change: change["op"] == "c")
    assert change["after"] == {"id": 1, "body": "hello"}
    assert stack.env["SYNC_WAREHOUSE_CONNECT__PASSWORD"] not in httpx.get(connector).text


def test_a_row_of_seven_megabytes_passes_whole_before_and_after(stack, query, connector):
    query(stack, "INSERT INTO letters VALUES (2, repeat('x', 7000000))")
    query(stack, "UPDATE letters SET body = repeat('y', 7000000) WHERE id = 2")
    change = first_change(stack, lambda change: change["op"] == "u")
    assert [len(change["before"]["body"]), len(change["after"]["body"])] == [7_000_000, 7_000_000]


def test_changes_go_on_after_connect_and_the_database_were_killed(stack, query, connector):
    stack.connect.kill()
    stack.warehouse.kill()
    for part in (stack.warehouse, stack.connect):
        part.start()
        part.wait_ready()
    query(stack, "INSERT INTO letters VALUES (3, 'again')")
    change = first_change(stack, lambda change: change["after"]["id"] == 3)
    assert change["after"]["body"] == "again"


@pytest.mark.parametrize(
    ("reference", "login"), [("${env:SYNC_CITIZEN_CONNECT__USER}", "sync_connect"), ("${env:HOME}", "${env:HOME}")]
)
def test_connect_resolves_the_replication_roles_and_no_other_variable(stack, reference, login):
    """Debezium's validation logs in; the refusal of a wrong password quotes the login that it used."""
    config = connector_config(stack) | {"name": "x", "database.user": reference, "database.password": "wrong"}
    url = f"{stack.connect.url}/connector-plugins/PostgresConnector/config/validate"
    validated = httpx.put(url, json=config, timeout=30).json()
    errors = [error for setting in validated["configs"] for error in setting["value"]["errors"]]
    assert f'password authentication failed for user "{login}"' in " ".join(errors)
