"""What the pages show of the past, from the real databases."""

from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb

from cli.databases import databases
from cli.job_status import job_problems, job_reports, job_standing
from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.tables import Database
from sinks import flow_samples
from sinks.operations import jobs, maintenance
from sinks.operations.connection import connect
from sinks.operations.letters import Selection
from sinks.payload_cipher import PayloadCipher
from views.protocols import Unanswered

FLOW = ELIGIBILITY_HINTS.name
STATE = {
    "flows": [{"flow": FLOW, "rate": 10.5, "p50_ms": 20, "p99_ms": 45}],
    "partitions": [{"flow": FLOW, "lag_seconds": 1.5, "lag_records": 7}, {"flow": FLOW, "lag_seconds": 0.5, "lag_records": 3}],
}
WORKER = "INSERT INTO sync.worker (name, started_at, seen_at, state) VALUES (%s, now(), now() - %s * interval '1 s', %s)"
LETTER = """
    INSERT INTO sync.dead_letter (flow, topic, "partition", "offset", reason, detail, status, record_value)
    VALUES (%s, 't', 0, %s, %s, 'd', %s, %s)
    """


@pytest.fixture
def take(pools):
    async def take(work=flow_samples.take):
        async with pools[Database.CITIZEN].session() as session:
            await work(session)

    return take


async def test_a_slot_is_filled_once_however_many_workers_try(citizen, records, take):
    citizen.execute(WORKER, ("a", 0, Jsonb(STATE)))
    citizen.execute(WORKER, ("b", 0, Jsonb(STATE)))
    citizen.execute(WORKER, ("gone", 60, Jsonb(STATE)))
    for _ in range(3):
        await take()
    slots = citizen.execute("SELECT count(DISTINCT at), count(*) FROM sync.flow_sample").fetchone()
    assert slots in {(1, 1), (2, 2)}, "a border of slots may lie between"
    found = await records.samples(FLOW, datetime.now(UTC) - timedelta(minutes=5), timedelta(hours=1))
    assert (found[-1].rate, found[-1].lag_seconds, found[-1].lag_records, found[-1].p99_ms) == (21.0, 1.5, 20, 45.0)


async def test_a_report_of_another_shape_is_left_out(citizen, take):
    citizen.execute(WORKER, ("odd", 0, Jsonb({"flows": "none", "partitions": [{"flow": 3}], "more": 1})))
    citizen.execute(WORKER, ("odder", 0, Jsonb({"flows": [{"flow": FLOW, "rate": "fast"}]})))
    await take()
    assert citizen.execute("SELECT count(*) FROM sync.flow_sample").fetchone() == (0,)


async def test_old_samples_are_forgotten_and_no_other(citizen, take):
    insert = "INSERT INTO sync.flow_sample (flow, at, rate) VALUES (%s, now() - %s * interval '1 day', 1)"
    for days in (6.9, 7.1, 30):
        citizen.execute(insert, (FLOW, days))
    await take(flow_samples.forget)
    assert citizen.execute("SELECT count(*) FROM sync.flow_sample").fetchone() == (1,)


async def test_open_letters_are_counted_by_reason_also_those_sent_again(citizen, cluster, records):
    for offset, (reason, status) in enumerate([("bad", "open"), ("bad", "replayed"), ("odd", "open"), ("bad", "closed")]):
        citizen.execute(LETTER, (FLOW, offset, reason, status, None))
    assert await records.open_letters(Database.CITIZEN) == {FLOW: {"bad": 2, "odd": 1}}
    assert await cluster.dead_letters() == {FLOW: 3}


async def test_a_letters_content_is_shown_without_any_value(citizen, migrated, records):
    secret = b'{"op": "c", "after": {"family_id": "123456789012", "note": "Asha Devi"}}'
    token = PayloadCipher(migrated.payload_keys).encrypt(secret)
    citizen.execute(LETTER, (FLOW, 1, "bad", "open", token))
    (listed,) = await records.letters(Database.CITIZEN, Selection(flow=FLOW))
    masked = await records.letter(Database.CITIZEN, listed.id)
    assert masked.value == {
        "op": "<text, 1 characters>",
        "after": {"family_id": "<text, 12 characters>", "<name 2>": "<text, 9 characters>"},
    }
    assert await records.letter(Database.WAREHOUSE, listed.id) is None


async def test_a_letter_that_no_key_opens_says_so(citizen, records):
    citizen.execute(LETTER, (FLOW, 1, "bad", "open", b"no token"))
    (listed,) = await records.letters(Database.CITIZEN, Selection())
    assert (await records.letter(Database.CITIZEN, listed.id)).problem == "none of the payload keys fits"


async def test_maintenance_on_demand_is_announced(migrated, records):
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    for database in (migrated.warehouse, migrated.citizen):
        with connect(database) as session:
            maintenance.start(session, until, "disk swap", "asha")
    windows = await records.windows()
    assert ("disk swap", until) in {(each.reason, each.ends_at) for each in windows}


async def test_the_newest_runs_of_each_job_are_read_and_no_more(warehouse, records):
    statement = (
        "INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at)"
        " SELECT 'feedback', now() - n * interval '1 day', 'citizen', 'succeeded', now() FROM generate_series(1, 40) AS n"
    )
    warehouse.execute(statement)
    runs = await records.runs(Database.WAREHOUSE, 30)
    assert len(runs) == 30
    assert [run.scheduled_for for run in runs] == sorted((run.scheduled_for for run in runs), reverse=True)


async def test_what_operators_paused_and_did_is_read(migrated, records):
    with connect(migrated.warehouse) as session:
        jobs.set_paused(session, "feedback", paused=True, actor="asha", reason="counts look odd")
    controls = await records.controls(Database.WAREHOUSE)
    assert (controls["feedback"].paused, controls["feedback"].changed_by) == (True, "asha")
    (deed,) = await records.audit(Database.WAREHOUSE, None, 10)
    assert (deed.actor, deed.action, deed.subject, deed.reason) == ("asha", "pause job", "feedback", "counts look odd")
    assert await records.audit(Database.WAREHOUSE, deed.at, 10) == []


async def test_every_job_has_a_run_to_come(records):
    coming = {each.job for each in await records.planned()}
    assert coming == {job.schedule.job for job in records.jobs()}


async def test_a_slot_of_a_source_tells_what_it_keeps(warehouse, records):
    warehouse.execute("SELECT pg_create_logical_replication_slot('sync_warehouse', 'pgoutput')")
    try:
        (slot,) = await records.slots(Database.WAREHOUSE)
        assert (slot.name, slot.active, slot.wal_status) == ("sync_warehouse", False, "reserved")
        assert slot.retained_bytes >= 0
    finally:
        warehouse.execute("SELECT pg_drop_replication_slot('sync_warehouse')")


async def test_a_database_tells_how_it_does(cluster):
    health = await cluster.health(Database.WAREHOUSE)
    assert health.connections >= 1
    assert not health.standby
    assert health.heartbeat_at is not None


async def test_a_connect_cluster_that_is_away_is_named(records, migrated):
    away = migrated.model_copy(update={"connect": migrated.connect.model_copy(update={"url": "http://127.0.0.1:9"})})
    records._settings = away
    with pytest.raises(Unanswered, match="Kafka Connect: it does not answer"):
        await records.connectors()


async def test_a_failed_job_is_a_problem_in_the_words_of_status(migrated, warehouse, records):
    warehouse.execute(
        """INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, reason, started_at, ended_at)
           VALUES ('feedback', now(), 'citizen', 'failed', now(), 'UniqueViolation in chunk 3', now(), now())"""
    )
    assert await records.job_problems() == ["job feedback failed: UniqueViolation in chunk 3"]
    with databases(migrated) as sessions:
        standings = {database: job_standing(sessions[database]) for database in Database}
    assert job_problems(job_reports(standings)) == await records.job_problems()
