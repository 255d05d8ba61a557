"""Events whose reference is not there yet, on the real database."""

import json
import random
from itertools import count

import pytest

from flows.application_events import APPLICATION_EVENTS as FLOW
from schemas.headers import REPLAY_HEADER
from sinks.ledger import LostOwnership
from streams import giving_up, release
from streams.patience import Patience
from streams.share_breaker import TooManyDeadLetters
from streams.unit_of_work import FlowMustStop
from tests.integration.streams.facts.queries import (
    TARGET,
    TUPLES,
    agree,
    codes,
    counts,
    facts,
    in_chunks,
    learn,
    letter_statuses,
    letters,
    parked,
    pass_deadline,
    rewind,
)
from tests.integration.streams.facts.workers import Worker
from tests.oracle.application_events import application_events
from tests.support.applications import ApplicationLog, history
from tests.support.dying import die_after


async def test_events_of_a_key_wait_in_order_and_are_released_when_the_reference_comes(
    worker, claim, target, log, scheme, unknown
):
    waiting = log.insert(log.row(unknown))
    log.insert(log.row(scheme))
    waiting = log.update(waiting, scheme_id=scheme, status="approved", approved_at=log.now())
    waiting = log.update(waiting)
    await worker.apply(claim, log.records)
    log.update(waiting, status="rejected")
    await worker.apply(claim, log.records[4:])
    assert (len(facts(target)), parked(target)) == (1, [(0, "waiting"), (2, "waiting"), (4, "waiting")])
    assert counts(target) == (5, 5, 1, 0, 1, 3, 0)
    await worker.upkeep.tick(claim)
    assert len(parked(target)) == 3
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    assert facts(target) == application_events(log.changes, codes(target))
    assert (counts(target), parked(target)) == ((5, 5, 4, 0, 1, 0, 0), [])


async def test_released_facts_wake_those_who_wait(worker, claim, target, log, unknown):
    target.execute(f"LISTEN {FLOW.wakes}")
    log.insert(log.row(unknown))
    log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    assert [note.payload for note in target.notifies(timeout=2, stop_after=1)] == ["2"]


async def test_a_delete_does_not_wait_and_what_happened_before_it_still_does(worker, claim, target, log, unknown):
    row = log.insert(log.row(unknown))
    log.delete(row)
    await worker.apply(claim, log.records)
    assert counts(target) == (2, 2, 0, 0, 1, 1, 0)
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    assert [fact.application_id for fact in facts(target)] == [row["id"]]


async def test_a_replay_of_a_parked_range_parks_nothing_twice(worker, claim, target, log, unknown):
    log.insert(log.row(unknown))
    log.insert(log.row(unknown))
    for _ in range(3):
        await worker.apply(claim, log.records)
        rewind(target)
    assert counts(target) == (0, 6, 0, 4, 0, 2, 0)
    agree(target)
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    await worker.apply(claim, log.records)
    assert (counts(target), parked(target)) == ((2, 8, 2, 6, 0, 0, 0), [])


async def test_what_is_parked_survives_a_restart_and_only_the_heir_releases_it(worker, claim, target, log, migrated, unknown):
    log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    heir = Worker(migrated)
    inherited = await heir.claim("heir")
    learn(target, unknown)
    with pytest.raises(LostOwnership):
        await worker.upkeep.tick(claim)
    assert facts(target) == set()
    await heir.upkeep.tick(inherited)
    assert len(facts(target)) == 1
    agree(target)
    await heir.close()


async def test_after_the_deadline_it_is_a_dead_letter_and_a_late_reference_still_closes_it(worker, claim, target, log, unknown):
    row = log.insert(log.row(unknown))
    log.update(row, status="withdrawn")
    await worker.apply(claim, log.records)
    pass_deadline(target)
    await worker.upkeep.tick(claim)
    key = str(row["id"])
    assert letters(target) == [(0, "reference_missing", key, "open"), (1, "reference_missing", key, "open")]
    assert counts(target) == (2, 2, 0, 0, 0, 0, 2)
    assert parked(target) == [(0, "expired"), (1, "expired")]
    (detail,) = target.execute("SELECT DISTINCT detail FROM sync.dead_letter").fetchone()
    assert detail == "`scheme_id` names no row of sync.scheme_map"
    await worker.upkeep.tick(claim)
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    assert facts(target) == application_events(log.changes, codes(target))
    assert (letter_statuses(target), parked(target)) == (["closed", "closed"], [])
    assert counts(target) == (2, 2, 0, 0, 0, 0, 2)


async def test_a_later_event_of_another_scheme_neither_waits_for_a_letter_nor_closes_it(
    worker, claim, target, log, scheme, unknown
):
    row = log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    pass_deadline(target)
    await worker.upkeep.tick(claim)
    log.update(row, scheme_id=scheme, status="approved", approved_at=log.now())
    await worker.apply(claim, log.records[1:])
    assert [fact.status for fact in facts(target)] == ["approved"]
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    assert {fact.status for fact in facts(target)} == {"submitted", "approved"}
    assert letter_statuses(target) == ["closed"]


async def test_what_waits_behind_an_expired_event_is_applied_with_its_own_reference(worker, claim, target, log, scheme, unknown):
    row = log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    pass_deadline(target)
    log.update(row, scheme_id=scheme, status="approved", approved_at=log.now())
    await worker.apply(claim, log.records[1:])
    assert parked(target) == [(0, "waiting"), (1, "waiting")]
    await worker.upkeep.tick(claim)
    await worker.upkeep.tick(claim)
    assert [fact.status for fact in facts(target)] == ["approved"]
    assert counts(target) == (2, 2, 1, 0, 0, 0, 1)


async def test_a_letter_that_an_operator_discarded_is_not_applied_by_a_late_reference(worker, claim, target, log, unknown):
    log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    pass_deadline(target)
    await worker.upkeep.tick(claim)
    target.execute("UPDATE sync.dead_letter SET status = 'discarded'")
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    assert (facts(target), parked(target), letter_statuses(target)) == (set(), [], ["discarded"])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_references_of_one_key_either_may_come_first(worker, claim, target, log, order):
    schemes = [log.identifier(), log.identifier()]
    row = log.insert(log.row(schemes[0]))
    log.update(row, scheme_id=schemes[1], status="approved", approved_at=log.now())
    await worker.apply(claim, log.records)
    learn(target, schemes[order[0]])
    await worker.upkeep.tick(claim)
    assert [fact.status for fact in facts(target)] == (["submitted"] if order[0] == 0 else [])
    agree(target)
    learn(target, schemes[order[1]])
    await worker.upkeep.tick(claim)
    assert facts(target) == application_events(log.changes, codes(target))
    assert (counts(target)[2], parked(target)) == (2, [])


async def test_a_reference_that_comes_between_the_look_and_the_giving_up_saves_the_event(
    worker, claim, target, log, unknown, monkeypatch
):
    log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    pass_deadline(target)
    after(monkeypatch, worker.applier.parked, "arrived", lambda: learn(target, unknown))
    await worker.upkeep.tick(claim)
    assert (letters(target), parked(target)) == ([], [(0, "waiting")])
    monkeypatch.undo()
    await worker.upkeep.tick(claim)
    assert (len(facts(target)), letters(target)) == (1, [])


async def test_a_reference_that_comes_while_the_letter_is_written_closes_it(worker, claim, target, log, unknown, monkeypatch):
    log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    pass_deadline(target)
    after(monkeypatch, worker.applier.parked, "overdue", lambda: learn(target, unknown))
    await worker.upkeep.tick(claim)
    assert letter_statuses(target) == ["open"]
    monkeypatch.undo()
    await worker.upkeep.tick(claim)
    assert (len(facts(target)), letter_statuses(target)) == (1, ["closed"])


def after(monkeypatch, owner, name, action):
    """Have something happen when a method has answered."""
    method = getattr(owner, name)

    async def wrapped(*arguments):
        answer = await method(*arguments)
        action()
        return answer

    monkeypatch.setattr(owner, name, wrapped)


async def test_nothing_is_given_up_right_after_a_restart(claim, target, log, migrated, unknown):
    now = [1000.0]
    patient = Worker(migrated, patience=Patience(60.0, clock=lambda: now[0]))
    log.insert(log.row(unknown))
    await patient.apply(claim, log.records)
    pass_deadline(target)
    for _ in range(8):
        await patient.upkeep.tick(claim)
        assert letters(target) == []
        now[0] += 7.5
    await patient.upkeep.tick(claim)
    assert letter_statuses(target) == ["open"]
    await patient.close()


@pytest.fixture
async def wary(target, migrated):
    """A worker that stops the flow above a fifth of ten."""
    wary = Worker(migrated, breaker=(10, 0.2))
    yield wary
    await wary.close()


async def park_some(worker, target, log, claim, unknown, count):
    """Park events in a partition, and let their deadline pass."""
    for _ in range(count):
        log.insert(log.row(unknown))
        log.records[-1].partition = claim.partition
    await worker.apply(claim, log.records[-count:])
    pass_deadline(target)


async def test_when_a_whole_window_would_expire_the_flow_stops_and_nothing_is_given_up(wary, target, unknown):
    claims = [await wary.claim(partition=number) for number in (0, 1)]
    for claim in claims:
        await park_some(wary, target, ApplicationLog(seed=1 + claim.partition), claim, unknown, 6)
    for claim in claims:
        with pytest.raises(TooManyDeadLetters, match=r"12 parked records .* `scheme_id` names no row of sync\.scheme_map"):
            await wary.upkeep.tick(claim)
    assert (letters(target), len(parked(target))) == ([], 12)
    learn(target, unknown)
    for claim in claims:
        await wary.upkeep.tick(claim)
    assert (letters(target), parked(target), len(facts(target))) == ([], [], 12)


async def test_a_flow_that_is_resumed_at_once_is_patient_again(target, log, migrated, unknown):
    now = [1000.0]
    wary = Worker(migrated, patience=Patience(5.0, clock=lambda: now[0]), breaker=(2, 0.2))
    claim = await wary.claim()
    await park_some(wary, target, log, claim, unknown, 3)
    await wary.upkeep.tick(claim)
    now[0] += 5.0
    for _ in range(2):
        with pytest.raises(TooManyDeadLetters):
            await wary.upkeep.tick(claim)
        await wary.upkeep.tick(claim)
        now[0] += 5.0
    assert len(parked(target)) == 3
    await wary.close()


async def test_a_few_that_expire_among_many_that_do_not_are_no_alarm(wary, target, log, scheme, unknown):
    claim = await wary.claim()
    for number in range(23):
        log.insert(log.row(unknown if number > 20 else scheme))
    await wary.apply(claim, log.records)
    pass_deadline(target)
    await wary.upkeep.tick(claim)
    assert letter_statuses(target) == ["open", "open"]


async def test_what_waits_is_no_good_record_as_long_as_it_waits(wary, target, log, unknown):
    claim = await wary.claim()
    await park_some(wary, target, log, claim, unknown, 9)
    await wary.upkeep.tick(claim)
    assert letter_statuses(target) == ["open"] * 9, "the window is not full: one bad row is no alarm"
    await park_some(wary, target, log, claim, unknown, 1)
    with pytest.raises(TooManyDeadLetters, match="10 of the last 10 records"):
        await wary.upkeep.tick(claim)


async def test_what_the_database_refuses_of_the_parked_counts_for_the_breaker(wary, target, log, unknown):
    claim = await wary.claim()
    target.execute(f"ALTER TABLE {TARGET} ADD CONSTRAINT none_at_all CHECK (false) NOT VALID")
    await park_some(wary, target, log, claim, unknown, 12)
    learn(target, unknown)
    with pytest.raises(TooManyDeadLetters, match="10 of the last 10 records"):
        await wary.upkeep.tick(claim)
    assert len(letters(target)) == 9


async def test_a_paused_flow_releases_and_gives_up_nothing(worker, claim, target, log, unknown):
    log.insert(log.row(unknown))
    log.insert(log.row(log.identifier()))
    await worker.apply(claim, log.records)
    learn(target, unknown)
    pass_deadline(target)
    target.execute("INSERT INTO sync.flow_state (flow, state) VALUES (%s, 'paused')", (FLOW.name,))
    await worker.upkeep.tick(claim)
    assert (facts(target), letters(target), len(parked(target))) == (set(), [], 2)


async def test_a_parked_event_that_the_database_refuses_becomes_a_letter_and_the_others_are_applied(
    worker, claim, target, log, unknown
):
    culprit = log.row(unknown)
    target.execute(f"ALTER TABLE {TARGET} ADD CONSTRAINT no_bad CHECK (application_id <> '{culprit['id']}')")
    for number in range(20):
        log.insert(culprit if number == 11 else log.row(unknown))
    await worker.apply(claim, log.records)
    learn(target, unknown)
    await worker.upkeep.tick(claim)
    assert letters(target) == [(11, "refused_by_database", str(culprit["id"]), "open")]
    assert (counts(target), parked(target)) == ((20, 20, 19, 0, 0, 0, 1), [])


async def test_a_missing_target_stops_the_flow_and_keeps_what_is_parked(worker, claim, target, log, unknown):
    log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    learn(target, unknown)
    target.execute(f"ALTER TABLE {TARGET} RENAME TO elsewhere")
    with pytest.raises(FlowMustStop, match="UNDEFINED_TABLE"):
        await worker.upkeep.tick(claim)
    assert (letters(target), len(parked(target))) == ([], 1)


async def test_a_letter_that_is_sent_again_too_early_is_open_again_and_later_closes(worker, claim, target, log, unknown):
    record = log.insert(log.row(unknown)) and log.records[0]
    await worker.apply(claim, log.records)
    pass_deadline(target)
    await worker.upkeep.tick(claim)
    commands, commanding = ApplicationLog(FLOW.command_topic), await worker.claim(topic=FLOW.command_topic)
    for attempts in (2, 3):
        (letter,) = target.execute("UPDATE sync.dead_letter SET status = 'replayed' RETURNING id").fetchone()
        commands.raw(record.value, record.key, [(REPLAY_HEADER, str(letter).encode())])
        if attempts == 3:
            learn(target, unknown)
        await worker.apply(commanding, commands.records[-1:])
        status, tried = target.execute("SELECT status, attempts FROM sync.dead_letter").fetchone()
        assert (status, tried) == (("open", 2) if attempts == 2 else ("closed", 2))
        assert len(parked(target)) == 1
    assert counts(target, FLOW.command_topic) == (2, 2, 1, 0, 0, 0, 1)
    await worker.upkeep.tick(claim)
    assert (parked(target), len(facts(target))) == ([], 1)


async def test_what_is_stored_is_encrypted(worker, claim, target, log, unknown):
    row = log.insert(log.row(unknown))
    await worker.apply(claim, log.records)
    key, value, headers = target.execute("SELECT record_key, record_value, headers FROM sync.parked").fetchone()
    assert not any(str(row["citizen_id"]).encode() in part for part in (key, value, headers))
    assert json.loads(worker.unit.cipher.decrypt(value))["after"]["citizen_id"] == str(row["citizen_id"])


async def test_many_parked_events_are_released_in_several_transactions(worker, claim, target, log, unknown, monkeypatch):
    for module in (release, giving_up):
        monkeypatch.setattr(module, "PER_TRANSACTION", 7)
    for _ in range(20):
        log.insert(log.row(unknown))
    log.insert(log.row(log.identifier()))
    await worker.apply(claim, log.records)
    learn(target, unknown)
    pass_deadline(target)
    await worker.upkeep.tick(claim)
    assert counts(target) == (21, 21, 20, 0, 0, 0, 1)


@pytest.mark.parametrize("seed", range(3))
async def test_random_histories_with_schemes_that_come_when_they_come(seed, worker, claim, target, log):
    schemes = [log.identifier() for _ in range(6)]
    lived, chance, coming = history(seed, schemes), random.Random(seed), iter(schemes[:5])
    for part in in_chunks(lived.records, chance):
        await worker.apply(claim, part)
        agree(target)
        if (arriving := next(coming, None)) is not None:
            learn(target, arriving)
        await worker.upkeep.tick(claim)
        agree(target)
    for each in coming:
        learn(target, each)
    await worker.upkeep.tick(claim)
    pass_deadline(target)
    for _ in range(2):
        await worker.upkeep.tick(claim)
    assert facts(target) == application_events(lived.changes, codes(target))
    assert [state for _, state in parked(target)] == ["expired"] * counts(target)[6]
    assert counts(target)[6] > 0
    before = target.execute(TUPLES).fetchall()
    rewind(target)
    await worker.apply(claim, lived.records)
    await worker.upkeep.tick(claim)
    assert target.execute(TUPLES).fetchall() == before
    learn(target, schemes[5])
    await worker.upkeep.tick(claim)
    assert facts(target) == application_events(lived.changes, codes(target))
    assert parked(target) == []


async def test_a_release_that_dies_at_any_await_leaves_nothing_half_done(migrated, target, log):
    turns, finished = 0, False
    numbers, steady = count(), Worker(migrated)
    while not finished:
        turns += 1
        coming, missing = log.identifier(), log.identifier()
        row = log.insert(log.row(coming))
        log.update(row, status="approved", approved_at=log.now())
        log.insert(log.row(missing))
        await steady.apply(await steady.claim(f"steady {next(numbers)}"), log.records[-3:])
        learn(target, coming)
        pass_deadline(target)
        dying = Worker(migrated)
        finished = await die_after(turns, dying.upkeep.tick(await dying.claim("dying")))
        agree(target)
        await steady.upkeep.tick(await steady.claim(f"steady {next(numbers)}"))
        assert facts(target) == application_events(log.changes, codes(target))
        assert counts(target) == (3 * turns, 3 * turns, 2 * turns, 0, 0, 0, turns)
        await dying.close()
    assert turns > 3
    await steady.close()
