"""What a source or its log cannot deliver any more is an alarm on the databases, until the flow is level again."""

import pytest

from flows.golden_records import GOLDEN_RECORDS as FLOW
from sinks import upstream_loss, upstream_watch
from sinks.pool import Pool
from sinks.upstream_loss import Loss
from sinks.upstream_watch import Watched

SLOT = "sync_test_watched"
WATCHED = Watched("warehouse", SLOT, (FLOW.name, "profile_summary"))
OPEN = "SELECT flow, kind FROM sync.upstream_loss WHERE resolved_at IS NULL ORDER BY 1, 2"


@pytest.fixture
async def pools(migrated):
    found = Pool(migrated.warehouse), Pool(migrated.citizen)
    yield found
    for pool in found:
        await pool.close()


@pytest.fixture
def known(citizen, warehouse, migrated):
    """The source is known, as after the first worker's start, and has a slot."""
    citizen.execute("INSERT INTO sync.source (name, system_identifier, timeline) VALUES ('warehouse', 1, 1)")
    warehouse.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (SLOT,))
    yield citizen
    warehouse.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s", (SLOT,))


@pytest.fixture
def look(pools):
    return lambda: upstream_watch.look(WATCHED, *pools, "worker-1")


async def test_a_source_that_is_well_raises_nothing_and_is_remembered(known, look):
    assert await look() == {}
    seen_lsn, slot_seen = known.execute("SELECT seen_lsn, slot_seen FROM sync.source").fetchone()
    assert seen_lsn > 0
    assert slot_seen


async def test_a_dropped_slot_raises_one_alarm_for_each_flow_however_often_it_is_seen(known, look, warehouse):
    await look()
    warehouse.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))
    assert list(await look()) == [Loss.SLOT]
    await look()
    assert known.execute(OPEN).fetchall() == [("golden_records", "slot"), ("profile_summary", "slot")]


async def test_a_rebuild_of_every_partition_that_was_asked_for_afterwards_ends_the_alarm(known, look, warehouse):
    await look()
    warehouse.execute("SELECT pg_drop_replication_slot(%s)", (SLOT,))
    await look()
    known.execute(
        "INSERT INTO sync.ledger (flow, topic, partition, first_offset, next_offset, resynced)"
        " VALUES (%s, 't', 0, 0, 0, 1), (%s, 't', 1, 0, 0, 0)",
        (FLOW.name, FLOW.name),
    )
    await look()
    assert (FLOW.name, "slot") in known.execute(OPEN).fetchall()
    known.execute("UPDATE sync.ledger SET resynced = 1")
    await look()
    # The slot is still gone: what it lost since is a new alarm at the next look.
    resolved = known.execute("SELECT resolved_by FROM sync.upstream_loss WHERE flow = %s ORDER BY id", (FLOW.name,)).fetchone()
    assert resolved == ("resync",)


async def test_a_source_whose_log_went_back_stops_its_flows(known, look):
    await look()
    known.execute("UPDATE sync.source SET seen_lsn = seen_lsn + 1000000000")
    assert list(await look()) == [Loss.SOURCE]
    states = known.execute("SELECT flow, state, reason FROM sync.flow_state ORDER BY flow").fetchall()
    assert [(flow, state) for flow, state, _ in states] == [("golden_records", "stopped"), ("profile_summary", "stopped")]
    assert all(reason.startswith("source-replaced: the log of warehouse stands at") for *_, reason in states)


async def test_a_source_that_nobody_has_seen_yet_is_left_alone(citizen, look):
    assert await look() == {}
    assert citizen.execute(OPEN).fetchall() == []


async def test_an_alarm_that_is_open_is_found_by_flow(known, pools):
    async with pools[1].session() as session:
        assert await upstream_loss.note(session, [FLOW.name], Loss.TOPIC, "made anew", "worker-1") == [FLOW.name]
        assert await upstream_loss.note(session, [FLOW.name], Loss.TOPIC, "made anew", "worker-2") == []
        assert await upstream_loss.is_open(session, FLOW.name)
        assert not await upstream_loss.is_open(session, "profile_summary")
