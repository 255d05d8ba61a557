"""The reconciliation as a batch job, on both databases: steps are chunks, so that it survives what every job survives."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.rows import dict_row

from app.reconciliation import FlowReconciliation, KafkaAccess
from batch_timers.jobs import DAILY, WEEKLY, job_named
from batch_timers.runner import Pools, Runner
from flows.document_metadata import DOCUMENT_METADATA as FLOW
from sinks.copying import CopyPool
from sinks.pool import Pool
from tests.support import counting_job

ROWS_AT_A_TIME = 20
SLOT = datetime(2026, 3, 8, 3, tzinfo=UTC)
DAMAGE = "UPDATE public.document_metadata SET file_name = 'damaged' WHERE document_id IN"


class HeldBack:
    """A broker that sends nothing before it is let go: whoever repairs stands still in the middle of a step."""

    def __init__(self, worker):
        self._worker = worker
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()
        self.ends, self.last_value = worker.ends, worker.last_value

    async def send(self, commands):
        self.reached.set()
        await self.let_go.wait()
        await self._worker.send(commands)


@pytest.fixture
def ledger(databases):
    """The administrator's session in the flow's target."""
    return databases[FLOW.target.table.database.value]


@pytest.fixture
def ask(ledger):
    """Write a line for the job."""

    def write(group=WEEKLY, slot=SLOT, *, forced=True):
        schedule = job_named(f"{group}:{FLOW.name}").schedule
        ledger.execute(
            "INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, requested_by, forced)"
            " VALUES (%s, %s, %s, 'scheduled', now(), 'test', %s)",
            (schedule.job, slot, schedule.lane, forced),
        )

    return write


@pytest.fixture
async def runner(worker, fresh_databases):
    """Runners of the job, as of different workers."""
    made = []

    def make(name="worker", group=WEEKLY, broker=worker, **settings):
        job = FlowReconciliation(
            job_named(f"{group}:{FLOW.name}").schedule, FLOW, KafkaAccess(broker, None), rows_at_a_time=ROWS_AT_A_TIME
        )
        pools = lambda _: Pools(CopyPool(fresh_databases.citizen), CopyPool(fresh_databases.warehouse))  # noqa: E731
        hurried = counting_job.HURRIED.model_copy(update=settings)
        made.append(Runner([job], Pool(fresh_databases.warehouse), pools, hurried, name))
        return made[-1]

    yield make
    for each in made:
        await each.stop()
        await each._target.close()


def line(ledger):
    with ledger.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM sync.job_run ORDER BY scheduled_for DESC LIMIT 1").fetchone()


def report(ledger):
    """State and progress of the newest run."""
    return ledger.execute("SELECT run, state, progress FROM sync.reconciliation ORDER BY run DESC LIMIT 1").fetchone()


def damage_last(ledger):
    """A row in the last range, so that steps are committed before it is met."""
    ledger.execute(f"{DAMAGE} (SELECT max(document_id::text)::uuid FROM public.document_metadata)")


async def drive(runner, until):
    async with asyncio.timeout(30):
        while not until():
            await runner.look()
            await asyncio.sleep(0.05)


async def through(runner):
    await runner.look()
    await runner.finished()


async def test_the_job_repairs_keeps_its_report_and_a_second_run_repairs_nothing(ask, runner, ledger, worker):
    total = ledger.execute("SELECT count(*) FROM public.document_metadata").fetchone()[0]
    damage_last(ledger)
    ask()
    await through(runner())
    done, (run, state, progress) = line(ledger), report(ledger)
    assert (done["state"], done["rows_written"], done["rows_unchanged"], done["rows_failed"]) == ("succeeded", 1, total - 1, 0)
    assert done["chunks"] > total // ROWS_AT_A_TIME
    assert (run, state, progress["repaired"], progress["expected"]) == (f"20260308T030000Z-{WEEKLY}", "done", 1, total)
    sent = len(worker.sent)
    ask(slot=SLOT + timedelta(weeks=1))
    await through(runner())
    assert (line(ledger)["rows_written"], len(worker.sent)) == (0, sent)


async def test_a_run_whose_worker_is_gone_goes_on_behind_the_last_step_and_the_one_that_wakes_writes_nothing(
    ask, runner, ledger, worker
):
    total = ledger.execute("SELECT count(*) FROM public.document_metadata").fetchone()[0]
    damage_last(ledger)
    ask()
    frozen = HeldBack(worker)
    first = runner("first", broker=frozen, lease=3600)  # so long that nothing but the token tells it
    await first.look()
    await asyncio.wait_for(frozen.reached.wait(), 30)
    begun = line(ledger)
    assert begun["chunks"] > 1, "steps are committed before the one in which it stands"
    ledger.execute("UPDATE sync.job_run SET lease_until = now() - interval '1 second'")
    await through(runner("second"))
    ended = line(ledger)
    assert (ended["state"], ended["token"], ended["rows_read"]) == ("succeeded", begun["token"] + 1, total)
    kept = report(ledger)
    assert (kept[1], kept[2]["expected"], kept[2]["repaired"]) == ("done", total, 1)
    ledger.execute("UPDATE public.document_metadata SET file_name = 'of today' WHERE file_name = 'damaged'")
    frozen.let_go.set()
    await first.finished()
    assert (line(ledger), report(ledger)) == (ended, kept)


async def test_a_run_that_lost_its_token_tells_nobody_anything(ask, runner, ledger, worker):
    damage_last(ledger)
    ask()
    held = HeldBack(worker)
    held.ends = slow_ends(worker, held)
    first = runner("first", broker=held, lease=3600)
    await first.look()
    await asyncio.wait_for(held.reached.wait(), 30)  # it has found the difference and waits for what is in flight
    ledger.execute("UPDATE sync.job_run SET token = token + 1")
    held.let_go.set()
    await first.finished()
    assert worker.sent == []
    assert ledger.execute("SELECT count(*) FROM public.document_metadata WHERE file_name = 'damaged'").fetchone() == (1,)


def slow_ends(worker, held):
    async def ends(partitions):
        held.reached.set()
        await held.let_go.wait()
        return await worker.ends(partitions)

    return ends


async def test_maintenance_pauses_the_run_between_two_steps_and_it_goes_on_afterwards(ask, runner, ledger, worker):
    damage_last(ledger)
    ask(forced=False)
    held = HeldBack(worker)
    working = runner(broker=held)
    ledger.execute("UPDATE sync.job_run SET requested_by = NULL, forced = true")
    await working.look()
    await asyncio.wait_for(held.reached.wait(), 30)
    ledger.execute(
        "INSERT INTO sync.maintenance (starts_at, ends_at, reason, asked_by) VALUES (now(), now() + interval '1 hour', 'x', 't')"
    )
    ledger.execute("UPDATE sync.job_run SET forced = false")
    held.let_go.set()
    await working.finished()
    await working.look()
    paused = line(ledger)
    assert (paused["state"], paused["chunks"] > 1) == ("paused", True)
    assert report(ledger)[1] == "running"
    ledger.execute("DELETE FROM sync.maintenance")
    ledger.execute("UPDATE sync.job_run SET forced = true")
    await drive(working, lambda: line(ledger)["state"] == "succeeded")
    assert report(ledger)[1] == "done"


async def test_the_run_leaves_its_lane_to_who_asks_for_it(ask, runner, ledger, worker):
    damage_last(ledger)
    ask()
    held = HeldBack(worker)
    working = runner(broker=held)
    await working.look()
    await asyncio.wait_for(held.reached.wait(), 30)
    ledger.execute("UPDATE sync.job_run SET yields_to = 'golden_records_daily'")
    held.let_go.set()
    await working.finished()
    left = line(ledger)
    assert (left["state"], left["reason"]) == ("paused", "lets golden_records_daily go first")
    await drive(working, lambda: line(ledger)["state"] == "succeeded")
    assert line(ledger)["yields_to"] is None


async def test_a_flow_that_stands_still_makes_the_run_fail_with_the_reason(ask, runner, ledger):
    ledger.execute("INSERT INTO sync.flow_state (flow, state, reason) VALUES (%s, 'paused', 'by hand')", (FLOW.name,))
    damage_last(ledger)
    ask()
    working, reason = runner(), f"nothing can be said of {FLOW.name}: {FLOW.name} is paused (by hand)"
    await through(working)
    assert (line(ledger)["state"], line(ledger)["reason"]) == ("scheduled", reason)
    assert report(ledger)[1] == "undecided"
    while line(ledger)["state"] == "scheduled":
        ledger.execute("UPDATE sync.job_run SET retry_at = NULL")
        await through(working)
    assert (line(ledger)["state"], line(ledger)["attempts"], line(ledger)["reason"]) == ("failed", 5, reason)


async def test_what_could_not_be_decided_is_decided_when_the_flow_goes_on(ask, runner, ledger):
    ledger.execute("INSERT INTO sync.flow_state (flow, state, reason) VALUES (%s, 'paused', 'by hand')", (FLOW.name,))
    damage_last(ledger)
    ask()
    working = runner()
    await through(working)
    assert report(ledger)[1] == "undecided"
    ledger.execute("DELETE FROM sync.flow_state")
    ledger.execute("UPDATE sync.job_run SET retry_at = NULL")
    await through(working)
    assert (line(ledger)["state"], line(ledger)["rows_written"], report(ledger)[1]) == ("succeeded", 1, "done")


async def test_the_light_run_looks_at_content_only_where_the_source_has_changed(ask, runner, ledger, databases):
    total = ledger.execute("SELECT count(*) FROM public.document_metadata").fetchone()[0]
    ask()
    await through(runner())
    ask(DAILY, SLOT + timedelta(hours=17))
    await through(runner(group=DAILY))
    assert report(ledger)[2]["untouched"] == total
    damage_last(ledger)  # nobody's count changes, and the source is as it was: the weekly run's business
    (key,) = databases["citizen"].execute("SELECT min(id::text)::uuid FROM public.documents").fetchone()
    ledger.execute(f"{DAMAGE} (%s)", (key,))
    databases["citizen"].execute("UPDATE public.documents SET file_name = file_name WHERE id = %s", (key,))
    ask(DAILY, SLOT + timedelta(hours=41))
    await through(runner(group=DAILY))
    progress = report(ledger)[2]
    assert [row["key"] for row in progress["rows"]] == [str(key)]
    assert 0 < progress["untouched"] < total
    ledger.execute("DELETE FROM public.document_metadata WHERE file_name = 'damaged'")
    ask(DAILY, SLOT + timedelta(hours=65))
    await through(runner(group=DAILY))
    assert (report(ledger)[2]["missing"], report(ledger)[2]["repaired"]) == (1, 1)


async def test_after_an_upstream_loss_the_light_run_leaves_nothing_out_and_ends_the_alarm(ask, runner, ledger):
    ask()
    await through(runner())
    damage_last(ledger)
    ledger.execute(
        "INSERT INTO sync.upstream_loss (flow, kind, detail, resync, found_by) VALUES (%s, 'slot', 'gone', 0, 'test')",
        (FLOW.name,),
    )
    ask(DAILY, SLOT + timedelta(hours=17))
    await through(runner(group=DAILY))
    progress = report(ledger)[2]
    assert (progress["untouched"], progress["repaired"]) == (0, 1)
    (resolved_by,) = ledger.execute("SELECT resolved_by FROM sync.upstream_loss").fetchone()
    assert resolved_by == f"reconciliation 20260308T200000Z-{DAILY}"
