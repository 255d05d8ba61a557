"""Application events: the laws, on the real database."""

import json
import random
from collections import Counter
from datetime import timedelta

import pytest

from flows.application_events import APPLICATION_EVENTS as FLOW
from schemas.connector import TOAST_PLACEHOLDER
from schemas.headers import REPLAY_HEADER
from sinks.ledger import LostOwnership
from streams.unit_of_work import FlowMustStop
from tests.integration.streams.facts.queries import TARGET, TUPLES, codes, counts, facts, in_chunks, learn, letters, rewind, told
from tests.integration.streams.facts.workers import Worker
from tests.oracle.application_events import application_events
from tests.support.applications import START, STATUSES, ApplicationLog, history
from tests.support.dying import die_after


@pytest.mark.parametrize("seed", range(4))
async def test_random_histories_come_to_what_the_oracle_says_and_a_replay_changes_no_row(seed, worker, claim, target, log):
    schemes = [learn(target, log.identifier()) for _ in range(4)]
    lived = history(seed, schemes)
    for part in in_chunks(lived.records, random.Random(seed)):
        await worker.apply(claim, part)
    assert facts(target) == application_events(lived.changes, codes(target))
    size, before = len(lived.records), target.execute(TUPLES).fetchall()
    assert counts(target)[:2] == (size, size)
    assert counts(target)[2] == len(before)
    rewind(target)
    for part in in_chunks(lived.records, random.Random(seed + 100)):
        await worker.apply(claim, part)
    assert target.execute(TUPLES).fetchall() == before
    assert counts(target)[1:3] == (2 * size, len(before))


async def test_each_status_is_an_event_of_its_type_at_its_own_time(worker, claim, target, log, scheme):
    moment = START - timedelta(days=1)
    row = log.insert(log.row(scheme, submitted_at=moment))
    row = log.update(row, status="in_review")
    reviewed = row["updated_at"]
    row = log.update(row, status="approved", approved_at=moment + timedelta(hours=5))
    row = log.update(row, status="rejected")
    rejected = row["updated_at"]
    log.update(row, status="withdrawn")
    await worker.apply(claim, log.records)
    assert told(target)[:2] == [
        ("APPLICATION_SUBMITTED", moment),
        ("APPLICATION_APPROVED", moment + timedelta(hours=5)),
    ]
    assert ("APPLICATION_STATUS_CHANGED", reviewed) in told(target)
    assert ("APPLICATION_REJECTED", rejected) in told(target)
    assert {fact.event_type: fact.approval_timestamp for fact in facts(target) if fact.approval_timestamp} == {
        "APPLICATION_APPROVED": moment + timedelta(hours=5)
    }
    assert {fact.scheme_code for fact in facts(target)} == set(codes(target).values())
    assert target.execute(f"SELECT count(*) FROM {TARGET} WHERE gr_id IS NOT NULL").fetchone() == (0,)


async def test_postgresql_gives_each_status_the_type_that_python_gives_it(target):
    column = FLOW.target.column("event_type")
    for status in (*STATUSES, None, "it's another"):
        found = target.execute(f"SELECT {column.sql('%s::text')}", (status,)).fetchone()
        assert found == (column.value(status),)


async def test_where_a_type_has_no_time_of_its_own_the_row_was_updated_then(worker, claim, target, log, scheme):
    row = log.insert(log.row(scheme, submitted_at=None))
    approved = log.update(row, status="approved", approved_at=None)
    await worker.apply(claim, log.records)
    assert told(target) == [("APPLICATION_SUBMITTED", row["updated_at"]), ("APPLICATION_APPROVED", approved["updated_at"])]
    assert [fact.approval_timestamp for fact in facts(target)] == [None, None]


async def test_updates_without_a_change_of_status_and_deletes_are_filtered_and_facts_stay(worker, claim, target, log, scheme):
    row = log.insert(log.row(scheme))
    row = log.update(row)
    log.delete(row)
    await worker.apply(claim, log.records)
    assert len(facts(target)) == 1
    assert counts(target) == (3, 3, 1, 0, 2, 0, 0)


async def test_what_was_before_may_be_unknown_or_nonsense_and_then_counts_as_a_change(worker, claim, target, log, scheme):
    row = log.row(scheme)
    later = log.row(scheme, id=row["id"], status="approved")
    log.event("u", None, row)
    log.event("u", {"id": row["id"]}, later)
    log.event("u", {"id": row["id"], "status": ["approved"]}, later | {"status": "rejected"})
    await worker.apply(claim, log.records)
    assert [fact.status for fact in sorted(facts(target))] == ["approved", "rejected", "submitted"]


async def test_a_snapshot_read_tells_of_a_state_only_where_nothing_was_told_of_it(worker, claim, target, log, scheme):
    rejected = log.insert(log.row(scheme, status="rejected"))
    touched, other = log.update(rejected), log.row(scheme, status="rejected")
    for _ in range(2):
        log.event("r", None, touched, lsn=0)
        log.event("r", None, other, lsn=0)
    await worker.apply(claim, log.records[:3])
    await worker.apply(claim, log.records[3:])
    assert {(fact.application_id, fact.event_timestamp) for fact in facts(target)} == {
        (rejected["id"], rejected["updated_at"]),
        (other["id"], other["updated_at"]),
    }
    assert counts(target) == (6, 6, 2, 3, 1, 0, 0)


async def test_two_snapshot_reads_of_a_state_in_one_chunk_are_one_fact(worker, claim, target, log, scheme):
    row = log.row(scheme, status="rejected")
    log.event("r", None, row, lsn=0)
    log.event("r", None, row | {"updated_at": log.now()}, lsn=0)
    await worker.apply(claim, log.records)
    assert told(target) == [("APPLICATION_REJECTED", row["updated_at"])]
    assert counts(target)[2:4] == (1, 1)


async def test_a_status_that_the_source_left_out_has_not_changed(worker, claim, target, log, scheme):
    row = log.insert(log.row(scheme))
    log.event("u", row, row | {"status": TOAST_PLACEHOLDER, "updated_at": log.now()})
    await worker.apply(claim, log.records)
    assert len(facts(target)) == 1
    assert counts(target)[2:5] == (1, 0, 1)


async def test_a_chunk_that_added_facts_wakes_those_who_wait_once(worker, claim, target, log, scheme):
    target.execute(f"LISTEN {FLOW.wakes}")
    for _ in range(3):
        log.insert(log.row(scheme))
    await worker.apply(claim, log.records)
    rewind(target)
    await worker.apply(claim, log.records)
    heard = Counter(note.payload for note in target.notifies(timeout=2, stop_after=1))
    assert heard == {"3": 1}
    assert not list(target.notifies(timeout=0.2))


async def test_an_old_fencing_token_writes_nothing(worker, claim, target, log, scheme):
    log.insert(log.row(scheme))
    log.insert(log.row(log.identifier()))
    await worker.claim("heir")
    with pytest.raises(LostOwnership):
        await worker.apply(claim, log.records)
    assert facts(target) == set()
    assert target.execute("SELECT count(*) FROM sync.parked").fetchone() == (0,)


async def test_a_bad_row_is_isolated_and_a_later_good_one_closes_its_letter_and_makes_good_what_was_lost(
    worker, claim, target, log, scheme
):
    row = log.insert(log.row(scheme))
    approved = row | {"status": "approved", "approved_at": log.now(), "updated_at": log.now()}
    log.event("u", row, approved | {"citizen_id": "nobody"})
    log.raw(b"{")
    log.insert(log.row(scheme))
    await worker.apply(claim, log.records)
    assert counts(target) == (4, 4, 2, 0, 0, 0, 2)
    assert letters(target) == [(1, "wrong_type", str(row["id"]), "open"), (2, "malformed_json", None, "open")]
    log.event("u", approved, approved | {"updated_at": log.now()})
    await worker.apply(claim, log.records[4:])
    assert ("APPLICATION_APPROVED", approved["approved_at"]) in told(target)
    assert [letter[3] for letter in letters(target)] == ["closed", "open"]
    log.update(approved)
    await worker.apply(claim, log.records[5:])
    assert counts(target)[2:5] == (3, 0, 1)


async def test_a_letter_is_not_closed_by_what_came_before_it(worker, claim, target, log, scheme):
    row = log.insert(log.row(scheme))
    log.event("u", row, row | {"status": "approved", "citizen_id": "nobody"})
    await worker.apply(claim, log.records)
    rewind(target)
    await worker.apply(claim, log.records)
    assert letters(target) == [(1, "wrong_type", str(row["id"]), "open")]


async def test_a_row_that_the_database_refuses_is_found_by_halving_and_can_be_sent_again(worker, claim, target, log, scheme):
    culprit = log.row(scheme)
    target.execute(f"ALTER TABLE {TARGET} ADD CONSTRAINT no_bad CHECK (application_id <> '{culprit['id']}')")
    for number in range(40):
        log.insert(culprit if number == 23 else log.row(scheme))
    await worker.apply(claim, log.records)
    assert len(facts(target)) == 39
    assert letters(target) == [(23, "refused_by_database", str(culprit["id"]), "open")]
    target.execute(f"ALTER TABLE {TARGET} DROP CONSTRAINT no_bad")
    (letter,) = target.execute("UPDATE sync.dead_letter SET status = 'replayed' RETURNING id").fetchone()
    commands = ApplicationLog(FLOW.command_topic)
    commands.raw(log.records[23].value, log.records[23].key, [(REPLAY_HEADER, str(letter).encode())])
    await worker.apply(await worker.claim(topic=FLOW.command_topic), commands.records)
    assert len(facts(target)) == 40
    assert letters(target)[0][3] == "closed"


async def test_a_truncate_stops_the_flow(worker, claim, target, log, scheme):
    log.insert(log.row(scheme))
    log.truncate(lsn=2000)
    with pytest.raises(FlowMustStop, match="truncate"):
        await worker.apply(claim, log.records)
    assert (len(facts(target)), counts(target)[0]) == (1, 1)


async def test_a_missing_table_stops_the_flow_and_makes_no_letters(worker, claim, target, log, scheme):
    target.execute(f"DROP TABLE {TARGET}")
    log.insert(log.row(scheme))
    with pytest.raises(FlowMustStop, match="UNDEFINED_TABLE"):
        await worker.apply(claim, log.records)
    assert letters(target) == []


async def test_a_unit_of_work_that_dies_at_any_await_leaves_nothing_half_done(migrated, target, log, scheme):
    unknown, turns, finished = log.identifier(), 0, False
    while not finished:
        turns += 1
        part = [log.insert(log.row(scheme)) and log.records[-1] for _ in range(4)]
        log.insert(log.row(unknown))
        part.append(log.records[-1])
        dying, heir = Worker(migrated), Worker(migrated)
        finished = await die_after(turns, dying.apply(await dying.claim("dying"), part))
        await heir.apply(await heir.claim("heir"), part)
        assert facts(target) == application_events(log.changes, codes(target))
        assert counts(target) == (5 * turns, 5 * turns, 4 * turns, 0, 0, turns, 0)
        await dying.close()
        await heir.close()
    assert turns > 3


async def test_equal_facts_of_one_chunk_count_once(worker, claim, target, log, scheme):
    row = log.insert(log.row(scheme))
    approved = log.update(row, status="approved", approved_at=START)
    reopened = log.update(approved, status="in_review")
    log.update(reopened, status="approved")
    await worker.apply(claim, log.records)
    assert len(facts(target)) == 3
    assert counts(target)[2:4] == (3, 1)


async def test_letters_hold_the_record_encrypted(worker, claim, target, log, scheme):
    row = log.row(scheme)
    log.event("c", None, row | {"status": None})
    await worker.apply(claim, log.records)
    (stored,) = target.execute("SELECT record_value FROM sync.dead_letter").fetchone()
    assert str(row["citizen_id"]).encode() not in stored
    assert json.loads(worker.unit.cipher.decrypt(stored))["after"]["citizen_id"] == str(row["citizen_id"])
