"""Runs on the real ledger: what is killed, frozen or raced comes to the same, and nothing is written twice."""

import asyncio
import subprocess
import sys
from datetime import timedelta

import pytest

from stack.folder import PROJECT_ROOT
from tests.integration.batch_timers.conftest import drive, session_of, state_of
from tests.support.counting_job import CHUNKS, ROWS, STATES, CountingJob

ALL_ONCE = [(n, 1) for n in range(CHUNKS * ROWS)]


def counted(ledger):
    return ledger.execute("SELECT n, times FROM public.counted ORDER BY n").fetchall()


def run_row(ledger, *columns):
    return ledger.execute(f"SELECT {', '.join(columns)} FROM sync.job_run WHERE job = 'counting'").fetchone()


@pytest.fixture
def standing(environment):
    """Start a worker that stands still at a state, and wait until it does."""
    started = []

    def start(state):
        command = [sys.executable, "-m", "tests.support.counting_job", state]
        worker = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        started.append(worker)
        assert worker.stdout.readline() == f"at {state}\n"
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


async def test_a_run_is_taken_worked_off_and_noted(ledger, make_runner, propose):
    await propose()
    runner = make_runner(CountingJob())
    await runner.look()
    await runner.finished()
    assert counted(ledger) == ALL_ONCE
    assert run_row(ledger, "state", "chunks", "rows_read", "rows_written", "rows_expected", "cursor", "owner") == (
        "succeeded", CHUNKS, CHUNKS * ROWS, CHUNKS * ROWS, CHUNKS * ROWS, CHUNKS, None,
    )  # fmt: skip


@pytest.mark.parametrize("state", STATES)
async def test_a_run_whose_worker_is_killed_at_any_state_is_finished_by_another_and_nothing_is_written_twice(
    state, ledger, make_runner, propose, standing
):
    await propose()
    worker = standing(state)
    worker.kill()
    worker.wait()
    await drive(make_runner(CountingJob()), lambda: state_of(ledger) == "succeeded")
    assert counted(ledger) == ALL_ONCE
    assert run_row(ledger, "chunks", "rows_written") == (CHUNKS, CHUNKS * ROWS)


@pytest.mark.parametrize("state", STATES)
async def test_a_worker_that_freezes_at_any_state_and_wakes_writes_nothing_more(state, ledger, make_runner, propose, standing):
    await propose()
    worker = standing(state)
    await drive(make_runner(CountingJob()), lambda: state_of(ledger) == "succeeded")
    before = run_row(ledger, "token", "chunks", "cursor", "ended_at"), ledger.execute("TABLE public.counted").fetchall()
    worker.stdin.write("\n")
    worker.stdin.flush()
    assert worker.stdout.readline() == "ended\n"
    assert (run_row(ledger, "token", "chunks", "cursor", "ended_at"), ledger.execute("TABLE public.counted").fetchall()) == before
    assert counted(ledger) == ALL_ONCE


async def test_of_two_leaders_at_once_one_gets_the_run(ledger, make_runner, propose):
    await propose()
    first, second = make_runner(CountingJob("first")), make_runner(CountingJob("second"))
    await asyncio.gather(*(runner.look() for runner in (first, second) for _ in range(5)))
    await asyncio.gather(first.finished(), second.finished())
    assert counted(ledger) == ALL_ONCE
    assert run_row(ledger, "token") == (1,)
    assert len(ledger.execute("SELECT DISTINCT by FROM public.counted").fetchall()) == 1


async def test_two_leaders_propose_a_slot_once(ledger, make_runner):
    first, second = make_runner(CountingJob("first")), make_runner(CountingJob("second"))
    assert await first.propose() == 0
    ledger.execute("UPDATE sync.job_control SET since = now() - interval '3 days'")
    proposed = await asyncio.gather(*(runner.propose() for runner in (first, second) for _ in range(3)))
    (lines, slots) = ledger.execute("SELECT count(*), count(DISTINCT scheduled_for) FROM sync.job_run").fetchone()
    assert lines == slots == sum(proposed) == 72
    assert ledger.execute("SELECT count(*) FROM sync.job_run WHERE state = 'coalesced'").fetchone() == (71,)


async def test_a_new_installation_does_not_make_the_past_good(ledger, make_runner):
    runner = make_runner(CountingJob())
    assert [await runner.propose(), await runner.propose()] == [0, 0]


async def test_one_lane_runs_one_job_at_a_time_whatever_two_workers_believe(ledger, make_runner, propose):
    line = await propose()
    await propose(scheduled_for=line.scheduled_for - timedelta(hours=1), job="other")
    other = CountingJob("second")
    other.schedule = CountingJob().schedule.__class__("other", "0 * * * *", timedelta(minutes=1), lane="counting")
    slow = CountingJob("first", pause=0.05)
    first, second = make_runner(slow), make_runner(other)
    await asyncio.gather(first.look(), second.look())
    running = ledger.execute("SELECT count(*) FROM sync.job_run WHERE state = 'running'").fetchone()
    assert running == (1,)


async def test_a_paused_job_stops_at_a_chunk_border_lets_its_lane_go_and_goes_on_when_resumed(ledger, make_runner, propose):
    await propose()
    runner = make_runner(CountingJob(pause=0.05))
    await runner.look()
    ledger.execute(
        "INSERT INTO sync.job_control (job, paused) VALUES ('counting', true) ON CONFLICT (job) DO UPDATE SET paused = true"
    )
    await runner.finished()
    state, chunks, reason = run_row(ledger, "state", "chunks", "reason")
    assert (state, reason) == ("paused", "paused by an operator")
    assert chunks < CHUNKS
    await runner.look()
    assert state_of(ledger) == "paused"
    ledger.execute("UPDATE sync.job_control SET paused = false")
    await drive(runner, lambda: state_of(ledger) == "succeeded")
    assert counted(ledger) == ALL_ONCE


async def test_maintenance_on_demand_pauses_a_run_and_it_goes_on_behind_it(ledger, make_runner, propose):
    await propose()
    runner = make_runner(CountingJob(pause=0.05))
    await runner.look()
    ledger.execute(
        "INSERT INTO sync.maintenance (starts_at, ends_at, reason, asked_by)"
        " VALUES (now(), now() + interval '1 hour', 'index rebuild', 'test')"
    )
    await runner.finished()
    assert state_of(ledger) == "paused"
    await runner.look()
    assert state_of(ledger) == "paused"
    ledger.execute("UPDATE sync.maintenance SET ends_at = now()")
    await drive(runner, lambda: state_of(ledger) == "succeeded")
    assert counted(ledger) == ALL_ONCE


async def test_a_cancelled_run_ends_at_a_chunk_border(ledger, make_runner, propose):
    await propose()
    runner = make_runner(CountingJob(pause=0.05))
    await runner.look()
    ledger.execute("UPDATE sync.job_run SET cancelled = true")
    await runner.finished()
    assert state_of(ledger) == "cancelled"
    assert len(counted(ledger)) < CHUNKS * ROWS


async def test_a_worker_that_stops_gives_its_run_back_at_once(ledger, make_runner, propose):
    await propose()
    first, second = make_runner(CountingJob("first", pause=0.05), lease=600), make_runner(CountingJob("second"))
    await first.look()
    await drive(first, lambda: run_row(ledger, "chunks") > (0,))
    await first.stop()
    assert state_of(ledger) == "scheduled"
    assert 0 < len(counted(ledger)) < CHUNKS * ROWS
    await second.look()
    await second.finished()
    assert state_of(ledger) == "succeeded"
    assert counted(ledger) == ALL_ONCE


async def test_a_failing_chunk_is_tried_again_with_growing_pauses_and_then_the_run_has_failed(ledger, make_runner, propose):
    def fail(number):
        raise RuntimeError("a defect")

    await propose()
    runner = make_runner(CountingJob(failing=fail))
    pauses = []
    for attempt in range(5):
        await runner.look()
        await runner.finished()
        state, retry_at = run_row(ledger, "state", "extract(epoch FROM retry_at - clock_timestamp())")
        assert state == ("scheduled" if attempt < 4 else "failed"), attempt
        pauses.append(retry_at)
        ledger.execute("UPDATE sync.job_run SET retry_at = now() WHERE retry_at IS NOT NULL")
    assert [round(pause) for pause in pauses[:4]] == [15, 30, 60, 120]
    assert run_row(ledger, "chunks", "reason") == (0, "RuntimeError; the worker's log has the details")


async def test_progress_forgives_earlier_attempts(ledger, make_runner, propose):
    failures = iter([True, False, True, False, True, False] * 5)

    def fail(number):
        if number and next(failures):
            raise RuntimeError("now and then")

    await propose()
    runner = make_runner(CountingJob(failing=fail))
    for _ in range(2 * CHUNKS):
        await runner.look()
        await runner.finished()
        ledger.execute("UPDATE sync.job_run SET retry_at = now() WHERE retry_at IS NOT NULL")
    assert state_of(ledger) == "succeeded"
    assert counted(ledger) == ALL_ONCE


async def test_an_outage_is_no_attempt(ledger, make_runner, propose):
    def fail(number):
        raise OSError("no route to host")

    await propose()
    runner = make_runner(CountingJob(failing=fail))
    for _ in range(8):
        await runner.look()
        await runner.finished()
        ledger.execute("UPDATE sync.job_run SET retry_at = now() WHERE retry_at IS NOT NULL")
    assert run_row(ledger, "state", "attempts") == ("scheduled", 0)


async def test_a_run_whose_workers_die_at_the_same_chunk_again_and_again_fails(ledger, make_runner, propose):
    await propose()
    ledger.execute(
        "UPDATE sync.job_run SET state = 'running', attempts = 5, token = 5, owner = 'dead',"
        " lease_until = now() - interval '1 second'"
    )
    await make_runner(CountingJob()).look()
    assert run_row(ledger, "state", "reason") == ("failed", "its worker died 5 times at the same chunk")


async def test_a_chunk_that_takes_too_long_is_an_attempt(ledger, make_runner, propose):
    await propose()
    runner = make_runner(CountingJob(pause=5.0), chunk_timeout=0.2)
    await runner.look()
    await runner.finished()
    assert run_row(ledger, "state", "attempts", "reason") == ("scheduled", 1, "no chunk was committed within the time for one")


async def test_slots_missed_while_a_job_is_paused_are_coalesced_into_the_newest(ledger, make_runner, propose):
    line = await propose()
    await propose(scheduled_for=line.scheduled_for - timedelta(hours=1))
    runner = make_runner(CountingJob())
    await runner.look()
    await runner.finished()
    states = ledger.execute("SELECT state FROM sync.job_run ORDER BY scheduled_for").fetchall()
    assert states == [("coalesced",), ("succeeded",)]


async def test_the_lease_is_renewed_while_a_chunk_takes_long(ledger, make_runner, propose):
    await propose()
    first, second = make_runner(CountingJob("first", pause=0.5)), make_runner(CountingJob("second"))
    await first.look()
    await drive(second, lambda: state_of(ledger) == "succeeded")
    assert run_row(ledger, "token") == (1,)


async def test_the_ledger_refuses_a_second_line_for_a_slot(ledger, migrated, propose):
    await propose()
    await propose()
    assert ledger.execute("SELECT count(*) FROM sync.job_run").fetchone() == (1,)
    async with session_of(migrated.citizen) as session:
        assert await session.row("SELECT count(*) FROM sync.job_run WHERE state = 'scheduled'") == (1,)
