"""Workers come and go, freeze and lose their database: nothing is lost, nobody writes what is no longer his."""

import time
from contextlib import contextmanager

import pytest

from tests.support.platform_load import evaluations_load
from tests.support.records import partition_of_family
from tests.support.waiting import eventually

OUTAGE_SECONDS = 30.0
LEAVING_SECONDS = 10.0
RATE = 150.0

REWORD = "UPDATE eligibility.eligibility_snapshots SET explanation = %s WHERE family_id = %s"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'sync_worker'"


def load(installation, seed):
    return evaluations_load(installation.settings, installation.population, seed, RATE)


def test_workers_join_and_leave_under_load_soon_and_nothing_is_lost(installation, workers):
    everything = set(range(installation.flow.partitions))
    workers.start("worker-1")
    with load(installation, seed=1):
        workers.start("worker-2")
        owned = workers.wait_until_shared("worker-1", "worker-2")
        assert set().union(*owned.values()) == everything
        leaves_well_and_soon(workers["worker-1"])
        assert workers.wait_until_shared("worker-2") == {"worker-2": everything}
        before = read(installation)
        eventually(lambda: read(installation) > before, "it works", within=20)
        leaves_well_and_soon(workers["worker-2"])
    workers.start("worker-1")
    installation.becomes_all_right()


def leaves_well_and_soon(worker):
    """Asked to stop under load, it drains and ends."""
    began = time.monotonic()
    assert worker.terminate() == 0
    assert time.monotonic() - began < LEAVING_SECONDS


def read(installation):
    return sum(row.read for row in installation.ledger().values())


def test_a_worker_frozen_in_a_transaction_loses_its_partitions_writes_nothing_more_and_leaves(installation, workers):
    workers.start("worker-1", "worker-2")
    installation.change(200)
    installation.become_right()
    frozen = workers["worker-1"]
    family = family_of(installation, workers.partitions("open")[frozen.name])
    with blocked_in(installation, family):
        frozen.freeze()
    installation.change(300)
    workers.wait_until_shared("worker-2")
    installation.become_right()
    installation.warehouse.rows(REWORD, ("reworded again", family))
    installation.change(300)
    installation.become_right()

    frozen.thaw()
    eventually(lambda: frozen.exit_code() is not None, "it leaves the group by ending", within=30)
    assert frozen.exit_code() != 0, "for whoever watches it, this was no orderly end"
    workers.wait_until_shared("worker-2")
    assert owners(installation) == {"worker-2"}, "it took nothing back"
    installation.becomes_all_right()


@contextmanager
def blocked_in(installation, family):
    """Inside the block the lane of the family hangs in a transaction that writes the family's hints."""
    with installation.citizen.connect() as portal, portal.transaction():
        portal.execute("SELECT FROM eligibility_hints WHERE family_id = %s FOR UPDATE", (family,))
        installation.warehouse.rows(REWORD, ("reworded", family))
        eventually(lambda: installation.citizen.value(WAITING), "the lane waits for the rows", within=20)
        yield


def family_of(installation, partitions):
    """A family that has hints and whose records are in one of the partitions."""
    families = installation.citizen.rows("SELECT DISTINCT family_id::text FROM eligibility_hints ORDER BY 1")
    return next(family for (family,) in families if partition_of_family(family) in partitions)


def owners(installation):
    statement = "SELECT DISTINCT owner FROM sync.ledger WHERE flow = %s"
    return {owner for (owner,) in installation.citizen.rows(statement, (installation.flow.name,))}


@pytest.mark.usefixtures("connectors_kept")
def test_an_outage_of_the_target_under_load_is_waited_out_and_makes_no_dead_letter(installation, workers):
    workers.start("worker-1", "worker-2")
    pids = [worker.pid for worker in workers]
    with load(installation, seed=4):
        installation.stack.citizen.kill()
        time.sleep(OUTAGE_SECONDS)  # the length of the outage is the case, there is nothing to wait for
        installation.stack.citizen.start()
        installation.stack.citizen.wait_ready()
        workers.wait_until_shared("worker-1", "worker-2")
    installation.becomes_all_right()
    assert [worker.pid for worker in workers] == pids, "nobody had to be started again"


@pytest.mark.campaign
@pytest.mark.usefixtures("connectors_kept")
def test_an_outage_of_the_broker_under_load_is_waited_out(installation, workers):
    workers.start("worker-1", "worker-2")
    with load(installation, seed=5):
        installation.stack.kafka.kill()
        installation.stack.kafka.start()
        installation.stack.kafka.wait_ready()
        workers.start("worker-1", "worker-2")
    installation.becomes_all_right()


@pytest.mark.campaign
def test_a_paused_flow_stays_paused_when_its_workers_are_started_again(installation, workers):
    flow = installation.flow.name
    workers.start("worker-1")
    installation.becomes_all_right()
    installation.command("pause", flow, "--reason", "a test")
    workers.wait_for_state("paused")
    before, ends = installation.ledger(), installation.ends()
    installation.change(200)
    assert workers["worker-1"].terminate() == 0
    workers["worker-1"].start()
    workers["worker-2"].start()
    workers.wait_for_state("paused")
    eventually(lambda: sum(installation.ends().values()) >= sum(ends.values()) + 150, "there is work", within=20)
    assert installation.ledger() == before
    assert not installation.compare().equal

    installation.command("resume", flow)
    workers.wait_until_shared("worker-1", "worker-2")
    installation.becomes_all_right()


@pytest.mark.timeout(400)
def test_two_workers_share_a_backlog_without_doing_anything_twice(installation, workers, say):
    workers.start("worker-1")
    for _ in range(4):
        installation.touch_everything()
    installation.becomes_all_right()
    backlog = sum(installation.ends().values())
    workers.kill_all()
    seconds = {number: drain(installation, workers, number) for number in (1, 2)}
    say(
        f"backlog of {backlog:,} records: {seconds[1]:.1f} s with one worker, {seconds[2]:.1f} s with two:"
        f" {seconds[1] / seconds[2]:.2f} times as fast"
    )


def drain(installation, workers, number):
    """Have `number` workers read everything from the beginning into an empty target; returns the seconds it took."""
    names = [f"worker-{place}" for place in range(1, number + 1)]
    installation.begin_anew()
    installation.command("pause", installation.flow.name, "--reason", "until all have joined")
    for name in names:
        workers[name].start()
    workers.wait_for_state("paused")
    assert set(workers.partitions("paused")) == set(names)
    installation.command("resume", installation.flow.name)
    began = time.monotonic()
    installation.wait_until_read(120)
    took = time.monotonic() - began
    installation.becomes_all_right()
    read = {row: counts.read for row, counts in installation.ledger().items()}
    assert read == installation.ends(), "every record was read once"
    assert owners(installation) == set(names), "all of them took part"
    workers.kill_all()
    return took
