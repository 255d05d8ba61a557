"""The composed overview: who owns what, what is summed up, what needs a look, what stands when nobody answers."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS
from sinks.operations.flow_control import FlowStatus
from sinks.operations.slots import Retention
from tests.unit.views.world import COMMANDS, FLOW, NOON, TOPIC, partition, state, worker_row
from views.answers import Question
from views.facts import Inquiry
from views.levels import Level
from views.overview import overview
from views.records import Connector
from views.troubles import TroubleWatch


@pytest.fixture
def look(world):
    inquiry, watch = Inquiry(world, world, world.clock), TroubleWatch(world.records, world.clock)

    async def take(seconds=1):
        world.now += timedelta(seconds=seconds)
        return overview(await inquiry.facts(), [ELIGIBILITY_HINTS], await watch.known())

    return take


def owned(view, name):
    owner = next((owner for owner in view.owners if owner.name == name), None)
    return {holding.topic: holding.partitions for holding in owner.holdings} if owner else None


def texts(view):
    return [(point.level, point.text) for point in view.attention]


async def test_a_healthy_group_needs_no_attention_and_owns_everything(look):
    view = await look()
    assert (view.attention, view.silences) == ((), ())
    assert owned(view, "worker-a") == {TOPIC: (0, 1, 2, 3, 4), COMMANDS: (0, 1, 2, 3, 4)}
    assert owned(view, "worker-b") == {TOPIC: (5, 6, 7, 8, 9), COMMANDS: (5, 6, 7, 8, 9)}
    assert owned(view, None) is None
    assert (view.flows[0].owned, view.flows[0].partitions) == (20, 20)


async def test_the_condition_names_failed_jobs_connectors_and_slots_as_status_does_worst_first(world, look):
    world.records.troubled_jobs = ["job feedback failed: UniqueViolation in chunk 3"]
    world.records.connected = [
        Connector("sync_citizen", "running", "connect-1", None, (), ("task 0 of connector sync_citizen has failed: x",))
    ]
    world.records.kept = [Retention("sync_warehouse", active=True, wal_status="lost", retained_bytes=None, safe_bytes=None)]
    view = await look()
    assert [(point.level, point.section) for point in view.attention] == [
        (Level.CRITICAL, "/connectors"),
        (Level.CRITICAL, "/connectors"),
        (Level.WARNING, "/jobs"),
    ]
    task, slot, job = [point.text for point in view.attention]
    assert task == "task 0 of connector sync_citizen has failed: x"
    assert slot == "the replication slot of warehouse is lost: `connect reset sync_warehouse` begins anew"
    assert job == "job feedback failed: UniqueViolation in chunk 3"


async def test_others_are_asked_every_few_seconds_and_keep_what_was_known_when_they_fall_silent(world, look):
    world.records.troubled_jobs = ["job feedback is late: no worker has begun it"]
    await look()
    asked = world.records.asked
    await look(1)
    assert world.records.asked == asked
    world.records.silent = {"job problems", "connectors"}
    view = await look(5)
    assert [point.text for point in view.attention] == world.records.troubled_jobs
    assert [silence.part for silence in view.silences] == ["jobs", "connectors"]


async def test_rates_are_summed_and_the_slowest_worker_gives_lag_and_latency(world, look):
    slow = state(range(5, 10))
    slow["partitions"][0] |= {"lag_seconds": 12.5, "lag_records": 40}
    slow["flows"][0] |= {"rate": 5.0, "p50_ms": 30.0, "p99_ms": 80.0}
    world.rows[1] = worker_row("worker-b", slow)
    line = (await look()).flows[0]
    assert (line.rate, line.lag_seconds, line.lag_records) == (20.0, 12.5, 40)
    assert (line.p50_ms, line.p99_ms) == (30.0, 80.0)


async def test_the_counts_of_a_flow_are_those_of_the_ledger_and_add_up(look):
    line = (await look()).flows[0]
    assert line.records_read == 20 * 1200 == sum(line.outcomes.values())


async def test_partitions_of_a_worker_that_fell_silent_are_unowned(world, look):
    world.rows[1] = worker_row("worker-b", state(range(5, 10)), silent=11.0)
    view = await look()
    assert owned(view, None) == {TOPIC: (5, 6, 7, 8, 9), COMMANDS: (5, 6, 7, 8, 9)}
    assert {holding.last_owner for holding in view.owners[0].holdings} == {"worker-b"}
    assert owned(view, "worker-b") is None
    assert texts(view) == [(Level.WARNING, f"{FLOW}: some partitions are not read by any worker")]
    line = view.workers[1]
    assert (line.state, line.partitions, line.rate, line.lag_seconds) == ("stale", 0, None, None)


async def test_a_partition_that_its_owner_does_not_report_is_unowned(world, look):
    world.rows[1] = worker_row("worker-b", state(range(5, 9)))
    assert owned(await look(), None) == {TOPIC: (9,), COMMANDS: (9,)}


async def test_the_ledger_decides_between_two_workers_that_report_the_same_partition(world, look):
    world.rows[1] = worker_row("worker-b", state(range(10)))
    assert owned(await look(), "worker-a")[TOPIC] == (0, 1, 2, 3, 4)


async def test_a_partition_that_was_never_read_is_unowned_without_a_last_owner(world, look):
    world.positions = [row for row in world.positions if row.partition != 9]
    world.rows[1] = worker_row("worker-b", state(range(5, 9)))
    assert [holding.last_owner for holding in (await look()).owners[0].holdings] == [None, None]


async def test_a_worker_without_partitions_still_stands_in_the_map(world, look):
    world.rows.append(worker_row("worker-c", state(range(0))))
    assert owned(await look(), "worker-c") == {}


async def test_a_flow_that_nobody_reads_is_critical(world, look):
    world.own |= {"partitions": []}
    world.rows = [worker_row("worker-b", state(range(5, 10)), silent=3600)]
    view = await look()
    assert texts(view) == [(Level.CRITICAL, f"{FLOW}: no partition is read by any worker")]
    assert (view.flows[0].lag_seconds, view.worker.lag_seconds) == (None, None)


@pytest.mark.parametrize(("name", "level"), [("paused", Level.NOTICE), ("stopped", Level.CRITICAL)])
async def test_a_flow_that_does_not_run_is_named_with_who_why_and_when(world, look, name, level):
    world.control = [FlowStatus(FLOW, name, "too many dead letters", "worker-b", NOON, 0)]
    view = await look()
    assert texts(view) == [(level, f"{FLOW} is {name}")]
    line = view.flows[0]
    assert (line.state, line.reason, line.changed_by, line.changed_at) == (name, "too many dead letters", "worker-b", NOON)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (60.0, []),
        (60.1, [(Level.WARNING, f"{FLOW} is more than 1 min behind")]),
        (299.0, [(Level.WARNING, f"{FLOW} is more than 1 min behind")]),
        (300.1, [(Level.CRITICAL, f"{FLOW} is more than 5 min behind")]),
    ],
)
async def test_lag_is_named_by_the_limit_that_it_passed(world, look, seconds, expected):
    world.own["partitions"][0]["lag_seconds"] = seconds
    assert texts(await look()) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, []),
        (1, [(Level.NOTICE, f"{FLOW} has open dead letters")]),
        (1000, [(Level.NOTICE, f"{FLOW} has open dead letters")]),
        (1001, [(Level.WARNING, f"{FLOW} has more than 1,000 open dead letters")]),
    ],
)
async def test_open_dead_letters_are_named(world, look, number, expected):
    world.letters = {FLOW: number}
    assert texts(await look()) == expected


async def test_a_latency_beyond_the_objective_of_the_flow_is_named(world, look):
    world.own["flows"][0]["p99_ms"] = 5000.1
    assert texts(await look()) == [(Level.WARNING, f"{FLOW}: commit to visible misses its objective")]


async def test_the_worst_point_comes_first(world, look):
    world.letters = {FLOW: 1}
    world.control = [FlowStatus(FLOW, "stopped", "truncate", "worker-b", NOON, 0)]
    assert [level for level, _ in texts(await look())] == [Level.CRITICAL, Level.NOTICE]


async def test_equal_errors_are_shown_once_with_all_their_partitions(world, look):
    for row in (*world.own["partitions"][:2], world.own["partitions"][5]):
        row["last_error"] = "OperationalError"
    (error,) = (await look()).worker.errors
    assert [(held.topic, held.partitions) for held in error.partitions] == [(TOPIC, (0, 1)), (COMMANDS, (0,))]


async def test_agents_are_listed_with_what_they_own_even_when_it_is_nothing(world, look):
    world.own["partitions"] = [partition(4), partition(2)]
    assert [(agent.topic, agent.partitions) for agent in (await look()).worker.agents] == [(TOPIC, (2, 4)), (COMMANDS, ())]


async def test_a_report_of_another_version_is_read_as_far_as_it_goes(world, look):
    world.rows[1] = worker_row("worker-b", {"partitions": [{"flow": FLOW, "topic": TOPIC, "partition": 5, "new": 1}], "x": {}})
    view = await look()
    assert owned(view, "worker-b") == {TOPIC: (5,)}
    assert view.workers[1].problem is None


async def test_a_report_that_cannot_be_read_is_named_and_spoils_nothing_else(world, look):
    world.rows[1] = worker_row("worker-b", {"partitions": "none"})
    view = await look()
    assert "expected shape" in view.workers[1].problem
    assert (Level.WARNING, "worker worker-b: its report cannot be read") in texts(view)
    assert owned(view, "worker-a")[TOPIC] == (0, 1, 2, 3, 4)


async def test_a_worker_that_the_database_does_not_know_yet_shows_itself(world, look):
    del world.rows[0]
    view = await look()
    assert [(line.name, line.here, line.state) for line in view.workers] == [
        ("worker-a", True, "alive"),
        ("worker-b", False, "alive"),
    ]
    assert view.workers[0].silent_seconds is None


async def test_a_worker_whose_reports_do_not_get_through_is_alive_on_its_own_page(world, look):
    world.rows[0] = worker_row("worker-a", state(range(5)), silent=500)
    line = (await look()).workers[0]
    assert (line.name, line.state, line.silent_seconds) == ("worker-a", "alive", 500)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "http://", "http://[", "", None])
async def test_only_web_addresses_are_linked(world, look, url):
    world.rows[1] = replace(world.rows[1], web_url=url)
    assert (await look()).workers[1].web_url is None


async def test_when_the_database_falls_silent_the_last_figures_stand_and_say_so(world, look):
    world.letters, world.waiting = {FLOW: 7}, {FLOW: 5}
    await look()
    known_at = world.now
    world.silent = {"workers", "flows", "ledger", "parked", "dead_letters"}
    view = await look()
    assert [(silence.part, silence.since) for silence in view.silences] == [
        ("workers", known_at),
        ("states of the flows", known_at),
        ("counts and owners of partitions", known_at),
        ("parked keys", known_at),
        ("dead letters", known_at),
    ]
    assert {silence.problem for silence in view.silences} == {"the citizen database is not reachable"}
    assert (view.flows[0].dead_letters, view.flows[0].parked) == (7, 5)
    assert view.workers[1].silent_seconds == pytest.approx(1.4)


async def test_a_database_that_never_answered_makes_nobody_guess(world, look):
    world.silent = {"workers", "flows", "ledger", "parked", "dead_letters"}
    view = await look()
    assert [silence.since for silence in view.silences] == [None] * 5
    assert (view.flows[0].state, view.flows[0].partitions, view.owners, view.attention) == ("unknown", 0, (), ())
    assert view.worker.rate == 15.0


async def test_owners_are_those_that_report_while_the_ledger_is_silent(world, look):
    world.silent = {"ledger"}
    assert owned(await look(), "worker-b")[TOPIC] == (5, 6, 7, 8, 9)


async def test_a_worker_that_cannot_describe_itself_still_shows_the_others(world, look):
    world.silent = {"snapshot"}
    view = await look()
    assert [(line.name, line.here) for line in view.workers] == [("worker-a", False), ("worker-b", False)]
    assert [silence.part for silence in view.silences] == ["this worker"]


async def test_who_is_slow_is_not_waited_for_and_not_asked_again_before_the_answer(world):
    asked, ready = [], asyncio.Event()

    async def slow():
        asked.append(world.now)
        await ready.wait()
        return "here"

    question = Question(slow, world.clock, patience=0.01)
    for _ in range(3):
        answer = await question.answer()
        assert (answer.value, answer.at, answer.problem) == (None, None, "no answer within 0.01 s")
    assert len(asked) == 1
    ready.set()
    answer = await question.answer()
    assert (answer.value, answer.at, answer.problem) == ("here", NOON, None)


async def test_an_answer_that_came_late_is_as_old_as_it_is(world):
    answers: asyncio.Queue[str] = asyncio.Queue()
    noted = asyncio.Event()

    def clock():
        noted.set()
        return world.now

    question = Question(answers.get, clock, patience=0.01)
    await question.answer()
    answers.put_nowait("first")
    await noted.wait()
    await asyncio.sleep(0)
    world.now += timedelta(hours=1)
    answer = await question.answer()
    assert (answer.value, answer.at, answer.problem) == ("first", NOON, "no answer within 0.01 s")
    answers.put_nowait("second")
    assert (await question.answer()).value == "second"


async def test_a_fault_is_not_taken_for_silence(world):
    async def broken():
        raise KeyError("flow")

    with pytest.raises(KeyError):
        await Question(broken, world.clock).answer()


async def test_many_readers_at_once_ask_the_database_once(world):
    inquiry = Inquiry(world, world, world.clock)
    found = await asyncio.gather(*(inquiry.facts() for _ in range(20)))
    assert all(facts is found[0] for facts in found)
    assert world.asked == 8
    world.now += timedelta(seconds=0.5)
    await inquiry.facts()
    assert world.asked == 16
