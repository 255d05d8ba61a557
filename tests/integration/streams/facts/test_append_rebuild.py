"""Partitions of the append flow rebuilt from the real source: the state of each row has a fact, and nothing is removed."""

import asyncio
from collections import defaultdict

import pytest

from flows.application_events import APPLICATION_EVENTS as FLOW
from schemas.message_key import message_key, partition_of
from sinks import ledger
from streams.unit_of_work import FlowHalted, FlowMustStop
from tests.integration.streams.facts.queries import TARGET, TUPLES, codes, counts, facts, letters
from tests.oracle.application_events import application_events
from tests.support.applications import TABLE

COLUMNS = [column.name for column in FLOW.source.columns]
UPSERT = f"""
    INSERT INTO {TABLE} ({", ".join(COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in COLUMNS)})
    ON CONFLICT (id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])}
    """
CITIZEN = "INSERT INTO public.citizens (id, verification_status) VALUES (%s, 'PENDING') ON CONFLICT DO NOTHING"


def stand(citizen, *rows):
    """Have rows stand in the source."""
    for row in rows:
        citizen.execute(CITIZEN, (row["citizen_id"],))
        citizen.execute(UPSERT, row)


async def claims_of(worker, owner="rebuilder"):
    starts = [(topic, partition, 0) for topic in FLOW.topics for partition in range(FLOW.partitions)]
    owned = defaultdict(dict)
    async with worker.target.session() as session:
        for claim in await ledger.claim(session, FLOW.name, owner, starts):
            owned[claim.partition][claim.topic] = claim
    return owned


async def rebuild(worker, resync=1):
    """All partitions, as their lanes do."""
    owned = await claims_of(worker)
    jobs = [worker.upkeep.rebuild(claims, dict.fromkeys(claims, 0), resync) for claims in owned.values()]
    await asyncio.gather(*jobs)
    return owned


def event_type_and_time(target):
    return {(fact.event_type, fact.event_timestamp) for fact in facts(target)}


async def test_each_row_has_a_fact_of_its_status_and_a_second_rebuild_changes_no_row(worker, target, citizen, log, scheme):
    rows = [log.insert(log.row(scheme, status=status)) for status in ("submitted", "approved", "rejected", "in_review") * 5]
    stand(citizen, *rows)
    await rebuild(worker)
    assert facts(target) == application_events(log.changes, codes(target))
    partitions = {partition_of(message_key(FLOW, str(row["id"])), FLOW.partitions) for row in rows}
    assert len(partitions) > 1
    before = target.execute(TUPLES).fetchall()
    await rebuild(worker, resync=2)
    assert target.execute(TUPLES).fetchall() == before
    assert target.execute("SELECT DISTINCT resynced FROM sync.ledger").fetchall() == [(2,)]


async def test_what_happened_before_stays_and_only_a_status_without_fact_gets_one(worker, claim, target, citizen, log, scheme):
    row = log.insert(log.row(scheme, status="rejected"))
    await worker.apply(claim, log.records)
    touched = row | {"updated_at": log.now()}
    stand(citizen, touched)
    await rebuild(worker)
    assert event_type_and_time(target) == {("APPLICATION_REJECTED", row["updated_at"])}
    withdrawn = touched | {"status": "withdrawn", "updated_at": log.now()}
    stand(citizen, withdrawn)
    await rebuild(worker, resync=2)
    assert event_type_and_time(target) == {
        ("APPLICATION_REJECTED", row["updated_at"]),
        ("APPLICATION_WITHDRAWN", withdrawn["updated_at"]),
    }


async def test_events_that_were_still_on_their_way_take_the_place_of_what_the_rebuild_assumed(
    worker, target, citizen, log, scheme
):
    """The rebuild sees rows that were touched again since, and their history is still in the log."""
    row = log.insert(log.row(scheme))
    row = log.update(row, status="rejected")
    row = log.update(row, status="in_review")
    row = log.update(row, status="rejected")
    other = log.update(row)
    kept = log.row(scheme, status="withdrawn")
    stand(citizen, other, kept)
    await rebuild(worker)
    assert event_type_and_time(target) == {
        ("APPLICATION_REJECTED", other["updated_at"]),
        ("APPLICATION_WITHDRAWN", kept["updated_at"]),
    }
    await worker.apply(await worker.claim(), log.records)
    remembered = {fact for fact in facts(target) if fact.application_id == kept["id"]}
    assert facts(target) - remembered == application_events(log.changes, codes(target))
    assert len(remembered) == 1
    assert target.execute("SELECT row_key FROM sync.backfilled_fact").fetchall() == [(str(kept["id"]),)]


async def test_a_snapshot_read_that_was_still_on_its_way_takes_its_place_too(worker, target, citizen, log, scheme):
    row = log.insert(log.row(scheme, status="rejected"), op="r")
    stand(citizen, log.update(row))
    await rebuild(worker)
    await worker.apply(await worker.claim(), log.records)
    assert event_type_and_time(target) == {("APPLICATION_REJECTED", row["updated_at"])}


async def test_an_event_that_is_the_very_fact_of_the_rebuild_confirms_it(worker, target, citizen, log, scheme):
    row = log.insert(log.row(scheme, status="rejected"))
    stand(citizen, row)
    await rebuild(worker)
    before = target.execute(TUPLES).fetchall()
    await worker.apply(await worker.claim(), log.records)
    assert target.execute(TUPLES).fetchall() == before
    assert target.execute("SELECT count(*) FROM sync.backfilled_fact").fetchone() == (0,)


async def test_a_later_event_of_the_same_status_leaves_what_the_rebuild_found(worker, target, citizen, log, scheme):
    row = log.row(scheme, status="rejected")
    stand(citizen, row)
    await rebuild(worker)
    reopened = log.update(row, status="in_review")
    again = log.update(reopened, status="rejected")
    await worker.apply(await worker.claim(), log.records)
    assert event_type_and_time(target) == {
        ("APPLICATION_REJECTED", row["updated_at"]),
        ("APPLICATION_STATUS_CHANGED", reopened["updated_at"]),
        ("APPLICATION_REJECTED", again["updated_at"]),
    }


async def test_rows_without_reference_and_bad_rows_are_left_out(worker, target, citizen, log, scheme, caplog):
    good, homeless = log.row(scheme), log.row(log.identifier())
    stand(citizen, good, homeless)
    citizen.execute(f"ALTER TABLE {TABLE} ALTER COLUMN status TYPE text")
    stand(citizen, log.row(scheme, status="x" * 51))
    await rebuild(worker)
    assert [fact.application_id for fact in facts(target)] == [good["id"]]
    assert [record.args[2] for record in caplog.records if "refer to" in record.msg] == [1]
    assert letters(target) == []


async def test_an_accepted_truncate_is_passed_and_the_facts_stay(worker, claim, target, citizen, log, scheme):
    log.insert(log.row(scheme))
    await worker.apply(claim, log.records)
    (lsn,) = citizen.execute("SELECT (pg_current_wal_lsn() - '0/0')::bigint").fetchone()
    log.truncate(lsn=lsn)
    owned = await claims_of(worker)
    with pytest.raises(FlowMustStop, match="truncate"):
        await worker.apply(owned[0][FLOW.topic], log.records[1:])
    target.execute("INSERT INTO sync.flow_state (flow, resync) VALUES (%s, 1)", (FLOW.name,))
    with pytest.raises(FlowHalted):
        await worker.apply(owned[0][FLOW.topic], log.records[1:])
    claims = owned[0]
    await worker.upkeep.rebuild(claims, {FLOW.topic: 1, FLOW.command_topic: 0}, 1)
    await worker.apply(claims[FLOW.topic], log.records[1:])
    assert (len(facts(target)), counts(target)[:4]) == (1, (2, 2, 1, 1))


async def test_a_row_that_the_target_refuses_stops_the_flow(worker, target, citizen, log, scheme):
    target.execute(f"ALTER TABLE {TARGET} ADD CONSTRAINT none CHECK (status <> 'rejected')")
    stand(citizen, log.row(scheme, status="rejected"))
    with pytest.raises(FlowMustStop, match="CHECK_VIOLATION"):
        await rebuild(worker)
