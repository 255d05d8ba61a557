"""Callback flows are reconciled with what their topic still holds, and by the rules of their rows."""

import asyncio
import random
from contextlib import asynccontextmanager, suppress

import pytest

from flows.ml_alerts import ML_ALERTS
from reconcile.canonical import Hashing
from reconcile.history import State, find
from reconcile.progress import Progress
from reconcile.run import Request
from reconcile.session import begin, carry_on, estimated_rows
from reconcile.surroundings import Surroundings
from reconcile.topic import TopicReconciliation
from streams.retained import RetainedRows
from streams.topic_rebuild import TopicRebuilder
from tests.integration.streams.conftest import apply
from tests.integration.streams.mirrors import mirror_claim, mirror_unit
from tests.integration.streams.test_callback_flows import HeldLog, history
from tests.integration.streams.test_mirror_flows import in_chunks
from tests.support.posted import POSTED, PostedLog
from tests.support.target_rows import rows

every_flow = pytest.mark.parametrize("flow", POSTED, ids=lambda flow: flow.name)


class OnePartition(HeldLog):
    """The other partitions of the topic are empty."""

    async def range(self, partition, offsets, timeout=10.0):
        return await super().range(partition, offsets, timeout) if partition[1] == 0 else []


@pytest.fixture
async def unit(flow, migrated):
    made = mirror_unit(flow, migrated)
    yield made
    await made.pool.close()


@pytest.fixture
async def claim(unit, citizen):
    citizen.execute("GRANT ALL ON benefit_forecasts, ml_alerts, notifications TO sync_worker")
    return await mirror_claim(unit)


def around(unit, log, begin_at=0):
    return Surroundings(unit.pool, unit.pool, None, Hashing(fast=True), RetainedRows(OnePartition(log, begin_at)))


async def reconcile(flow, surroundings, **wanted):
    stepper, progress = TopicReconciliation(flow, surroundings, Request(**({"repairs": False} | wanted))), Progress()
    while not progress.finished:
        progress = await stepper.step(progress)
    return progress


@asynccontextmanager
async def owner(unit, claim, log):
    """Rebuilds the partition when that is asked for."""

    async def work():
        rebuilder = TopicRebuilder(unit.flow, unit.pool, OnePartition(log), unit.applier.writer)
        while True:
            async with unit.pool.session() as session:
                row = await session.row("SELECT resync FROM sync.flow_state")
            if row:
                await rebuilder.rebuild({claim.topic: claim}, {claim.topic: len(log.records)}, resync=row[0])
                return
            await asyncio.sleep(0.02)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def filled(flow, unit, claim, seed=7):
    log, standing, _ = history(flow, seed)
    for part in in_chunks(log.records, random.Random(seed)):
        await apply(unit, claim, part)
    return log, standing


@every_flow
async def test_what_came_by_callback_is_equal_to_what_the_topic_tells(flow, unit, claim):
    log, _ = await filled(flow, unit, claim)
    found = await reconcile(flow, around(unit, log))
    assert (found.rows, found.violations) == ([], [])
    assert found.expected >= 20
    later = await reconcile(flow, around(unit, log, begin_at=150))
    assert later.rows == []
    assert 0 < later.expected < found.expected + 1


@every_flow
@pytest.mark.parametrize("records", [1000, 40], ids=["one page", "several pages"])
async def test_missing_and_changed_rows_are_found_once_repaired_by_their_owner_and_then_equal(
    flow, records, unit, claim, citizen, monkeypatch
):
    monkeypatch.setattr("reconcile.topic.RECORDS", records)
    log, standing = await filled(flow, unit, claim)
    table, key, (lost, changed, *_) = flow.target.table.qualified, flow.key, sorted(standing)
    citizen.execute(f"DELETE FROM {table} WHERE {key} = %s", (lost,))
    citizen.execute(f"UPDATE {table} SET family_id = gen_random_uuid() WHERE {key} = %s", (changed,))
    dry = await reconcile(flow, around(unit, log))
    assert {(row.key, row.what, row.columns) for row in dry.rows} == {
        (lost, "missing", ()),
        (changed, "different", ("family_id",)),
    }
    assert (dry.missing, dry.different, dry.left) == (1, 1, 0)
    async with owner(unit, claim, log):
        done = await reconcile(flow, around(unit, log), repairs=True)
    assert (done.repaired, done.left) == (done.differing, 0)  # the first repair makes good what later pages would find
    assert done.repaired in (1, 2)
    assert rows(flow, citizen) == standing
    again = await reconcile(flow, around(unit, log), repairs=True)
    assert (again.differing, citizen.execute("SELECT resync FROM sync.flow_state").fetchone()) == (0, (1,))


@every_flow
async def test_a_row_that_the_database_refuses_is_listed_as_quarantined(flow, unit, claim, citizen):
    log = PostedLog(flow)
    bodies = [log.row() for _ in range(3)]
    table, bad = flow.target.table.qualified, bodies[1][flow.key]
    citizen.execute(f"ALTER TABLE {table} ADD CONSTRAINT no_bad CHECK ({flow.key} <> '{bad}')")
    for body in bodies:
        log.upsert(body)
    await apply(unit, claim, log.records)
    found = await reconcile(flow, around(unit, log))
    assert [(row.key, row.what) for row in found.rows] == [(bodies[1][flow.key], "quarantined")]
    assert found.differing == 0


@every_flow
async def test_the_light_run_reads_the_topic_only_where_rows_are_missing(flow, unit, claim, citizen):
    log, standing = await filled(flow, unit, claim)
    assert (await reconcile(flow, around(unit, log), light=True)).untouched == len(standing)
    lost = min(standing)
    citizen.execute(f"DELETE FROM {flow.target.table.qualified} WHERE {flow.key} = %s", (lost,))
    found = await reconcile(flow, around(unit, log), light=True)
    assert [(row.key, row.what) for row in found.rows] == [(lost, "missing")]


@pytest.mark.parametrize("flow", [ML_ALERTS], ids=lambda flow: flow.name)
async def test_a_value_that_no_callback_may_have_breaks_a_rule(flow, unit, claim, citizen):
    log, standing = await filled(flow, unit, claim)
    citizen.execute("ALTER TABLE ml_alerts DROP CONSTRAINT IF EXISTS ml_alerts_severity_check")
    citizen.execute("UPDATE ml_alerts SET severity = 'WORST' WHERE alert_id = %s", (min(standing),))
    found = await reconcile(flow, around(unit, log))
    assert [(rule.rule, rule.keys) for rule in found.violations] == [("severity is a known value", (min(standing),))]


@every_flow
async def test_a_run_is_kept_and_goes_on_from_its_cursor(flow, unit, claim):
    log, _ = await filled(flow, unit, claim)
    request = Request(repairs=True)
    record = await begin("20260308T030000Z-test", flow, unit.pool, request, None)
    done = await carry_on(record, flow, around(unit, log), request)
    async with unit.pool.session() as session:
        (kept,) = await find(session, done.run)
    assert (kept.state, kept.progress, kept.horizon) == (State.DONE, done.progress, None)
    assert not kept.settles, "of callbacks that were lost no reconciliation knows"
    assert await estimated_rows(unit.pool, flow) is None
