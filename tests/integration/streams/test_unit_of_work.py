"""The transaction of a chunk, on the real database."""

import psycopg2
import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from schemas.headers import REPLAY_HEADER
from sinks.ledger import LostOwnership, Outcome
from sinks.pool import Unavailable
from streams.outage import is_outage
from streams.share_breaker import TooManyDeadLetters
from streams.unit_of_work import FlowHalted, FlowMustStop, Gap, OriginalsNeeded
from tests.integration.streams.conftest import Log, apply, claim_of, family, row
from tests.integration.streams.conftest import family as new_family
from tests.support.dying import die_after

HINTS = "SELECT family_id::text, scheme_code, rank, eligibility_score::text, explanation FROM eligibility_hints ORDER BY 1, 3"
VERSIONS = "SELECT xmin::text, ctid::text, * FROM eligibility_hints ORDER BY family_id, rank"


def counts(citizen, topic=FLOW.topic):
    statement = """SELECT next_offset, records_read, applied, superseded, dead_lettered, tombstones
                   FROM sync.ledger WHERE topic = %s"""
    return citizen.execute(statement, (topic,)).fetchone()


def letters(citizen):
    return citizen.execute('SELECT "offset", reason, row_key, status FROM sync.dead_letter ORDER BY id').fetchall()


async def test_the_five_best_become_visible_and_the_ledger_moves_with_them(unit, claim, citizen, log):
    home = family()
    for number in range(1, 8):
        log.upsert(number, home, eligibility_score=f"0.{number}000")
    done = await apply(unit, claim, log.records)
    assert [scheme for _, scheme, *_ in citizen.execute(HINTS)] == ["S7", "S6", "S5", "S4", "S3"]
    assert [place for _, _, place, *_ in citizen.execute(HINTS)] == [1, 2, 3, 4, 5]
    assert (done.written, done.deleted) == (5, 0)
    assert counts(citizen) == (7, 7, 7, 0, 0, 0)


async def test_an_old_fencing_token_is_refused_and_writes_nothing(unit, claim, citizen, log):
    log.upsert(1, family())
    await claim_of(unit, owner="heir")
    with pytest.raises(LostOwnership, match="epoch 2, our token is epoch 1"):
        await apply(unit, claim, log.records)
    assert citizen.execute(HINTS).fetchall() == []
    assert counts(citizen)[0] == 0


async def test_a_replay_from_zero_changes_no_row(unit, claim, citizen, log):
    homes = [family() for _ in range(20)]
    for number in range(200):
        log.upsert(number, homes[number % 20], scheme_code=f"S{number % 7}", eligibility_score=f"0.{number:04}")
    log.delete(3, homes[3])
    await apply(unit, claim, log.records)
    before = citizen.execute(VERSIONS).fetchall()
    citizen.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset WHERE topic = %s", (FLOW.topic,))
    done = await apply(unit, claim, log.records)
    assert (done.written, done.deleted) == (0, 0)
    assert citizen.execute(VERSIONS).fetchall() == before
    assert counts(citizen)[:2] == (201, 402)


async def test_a_chunk_that_would_leave_a_gap_is_refused(unit, claim, citizen, log):
    for number in range(3):
        log.upsert(number, family())
    with pytest.raises(Gap):
        await apply(unit, claim, log.records[1:])
    assert counts(citizen)[0] == 0


async def test_records_that_were_applied_before_are_dropped(unit, claim, citizen, log):
    home = family()
    log.upsert(1, home)
    await apply(unit, claim, log.records)
    log.upsert(2, home)
    await apply(unit, claim, log.records)
    assert counts(citizen)[:3] == (2, 2, 2)


async def test_one_row_among_five_hundred_that_the_database_refuses_is_isolated(unit, claim, citizen, log):
    citizen.execute("ALTER TABLE eligibility_hints ADD CONSTRAINT no_bad CHECK (explanation <> 'bad')")
    for number in range(500):
        log.upsert(number, family(), explanation="bad" if number == 317 else "good")
    done = await apply(unit, claim, log.records)
    assert [letter[:2] for letter in letters(citizen)] == [(317, "refused_by_database")]
    assert done.counts[Outcome.APPLIED] == 499
    assert len(citizen.execute(HINTS).fetchall()) == 499
    assert counts(citizen) == (500, 500, 499, 0, 1, 0)


async def test_a_refusal_in_a_chunk_without_its_records_asks_for_them_and_writes_nothing(unit, claim, citizen, log):
    citizen.execute("ALTER TABLE eligibility_hints ADD CONSTRAINT no_bad CHECK (explanation <> 'bad')")
    for number in range(3):
        log.upsert(number, family(), explanation="bad" if number == 1 else "good")
    (chunk,) = unit.applier.decoder.decode(log.records)
    with pytest.raises(OriginalsNeeded) as needed:
        await unit.apply(claim, chunk)
    assert needed.value.until == 3
    assert (citizen.execute(HINTS).fetchall(), counts(citizen)[0]) == ([], 0)


async def test_a_refused_version_leaves_the_last_good_one_and_its_family_alone(unit, claim, citizen, log):
    citizen.execute("ALTER TABLE eligibility_hints ADD CONSTRAINT no_bad CHECK (explanation <> 'bad')")
    home = family()
    log.upsert(1, home, explanation="first")
    log.upsert(2, home, explanation="second")
    log.upsert(1, home, explanation="bad", eligibility_score="0.9000")
    log.upsert(3, home, explanation="third")
    await apply(unit, claim, log.records)
    assert sorted(hint[4] for hint in citizen.execute(HINTS)) == ["first", "second", "third"]
    assert counts(citizen) == (4, 4, 3, 0, 1, 0)


async def test_a_bad_record_is_kept_encrypted_with_its_position_and_the_partition_goes_on(unit, claim, citizen, log):
    home = family()
    log.event("c", row(1, home, eligibility_score="7.7777", explanation="PRIVATE-WORDS"))
    log.raw(b"{PRIVATE-WORDS", b"PRIVATE-KEY", [("PRIVATE-HEADER", b"x")])
    log.upsert(2, home)
    await apply(unit, claim, log.records)
    assert letters(citizen) == [(0, "out_of_range", "1", "open"), (1, "malformed_json", None, "open")]
    statement = 'SELECT record_key, record_value, headers, detail FROM sync.dead_letter WHERE "offset" = 1'
    stored = citizen.execute(statement).fetchone()
    assert not any(b"PRIVATE" in (part if isinstance(part, bytes) else part.encode()) for part in stored)
    assert unit.cipher.decrypt(stored[1]) == b"{PRIVATE-WORDS"
    assert unit.cipher.decrypt_headers(stored[2]) == [("PRIVATE-HEADER", b"x")]
    assert [hint[1] for hint in citizen.execute(HINTS)] == ["S2"]


async def test_a_later_good_version_closes_the_letter_and_an_earlier_one_does_not(unit, claim, citizen, log):
    home = family()
    log.upsert(1, home)
    log.upsert(1, home, eligibility_score="2")
    await apply(unit, claim, log.records)
    citizen.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset WHERE topic = %s", (FLOW.topic,))
    await apply(unit, claim, log.records)
    assert letters(citizen) == [(1, "out_of_range", "1", "open")]
    log.upsert(1, home, eligibility_score="0.6000")
    await apply(unit, claim, log.records[2:])
    assert letters(citizen) == [(1, "out_of_range", "1", "closed")]


async def test_a_replayed_letter_that_is_bad_again_is_the_same_letter_open_again(unit, claim, citizen, log):
    bad = log.upsert(1, family(), eligibility_score="2")
    await apply(unit, claim, log.records)
    (identity,) = citizen.execute("UPDATE sync.dead_letter SET status = 'replayed' RETURNING id").fetchone()
    commands = Log(FLOW.command_topic)
    commands.raw(bad.value, bad.key, [(REPLAY_HEADER, str(identity).encode())])
    await apply(unit, await claim_of(unit, topic=FLOW.command_topic), commands.records)
    assert citizen.execute("SELECT id, status, attempts FROM sync.dead_letter").fetchall() == [(identity, "open", 2)]


async def test_a_statement_that_takes_too_long_is_halved_until_it_passes(make_unit, citizen, log):
    citizen.execute(
        """
        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END';
        CREATE TRIGGER slow BEFORE INSERT ON eligibility_hints FOR EACH ROW EXECUTE FUNCTION slow()
        """
    )
    unit = make_unit(statement_timeout=400)
    claim = await claim_of(unit)
    for number in range(24):
        log.upsert(number, family())
    await apply(unit, claim, log.records)
    assert len(citizen.execute(HINTS).fetchall()) == 24
    assert letters(citizen) == []
    assert counts(citizen)[:3] == (24, 24, 24)


async def test_a_missing_table_stops_the_flow_and_makes_no_letters(unit, claim, citizen, log):
    citizen.execute("DROP TABLE eligibility_hints")
    log.upsert(1, family())
    with pytest.raises(FlowMustStop, match="UNDEFINED_TABLE"):
        await apply(unit, claim, log.records)
    assert letters(citizen) == []


async def test_a_paused_flow_writes_nothing(unit, claim, citizen, log):
    citizen.execute("INSERT INTO sync.flow_state (flow, state) VALUES (%s, 'paused')", (FLOW.name,))
    log.upsert(1, family())
    with pytest.raises(FlowHalted):
        await apply(unit, claim, log.records)
    assert counts(citizen)[0] == 0


async def test_a_lock_that_somebody_holds_is_waited_for_like_an_outage(make_unit, citizen, log):
    unit = make_unit(lock_timeout=200)
    claim = await claim_of(unit)
    log.upsert(1, family())
    with citizen.transaction():
        citizen.execute("SELECT FROM sync.ledger FOR UPDATE")
        with pytest.raises(psycopg2.Error) as caught:
            await apply(unit, claim, log.records)
    assert is_outage(caught.value)
    await apply(unit, claim, log.records)
    assert counts(citizen)[0] == 1


async def test_a_database_that_cannot_be_reached_is_an_outage_and_makes_no_letters(make_unit, citizen, log):
    unit = make_unit(port=1)
    claim = await claim_of(make_unit("other"))
    log.upsert(1, family())
    with pytest.raises(Unavailable):
        await apply(unit, claim, log.records)
    assert letters(citizen) == []


async def test_too_many_bad_records_are_not_committed(make_unit, citizen, log):
    unit = make_unit(breaker=(10, 0.2))
    claim = await claim_of(unit)
    for _ in range(10):
        log.raw(b"{")
    with pytest.raises(TooManyDeadLetters):
        await apply(unit, claim, log.records)
    assert (letters(citizen), counts(citizen)[0]) == ([], 0)


async def test_records_before_a_truncate_are_applied_and_nothing_behind_it(unit, claim, citizen, log):
    home = family()
    log.upsert(1, home)
    log.truncate()
    log.upsert(2, home)
    with pytest.raises(FlowMustStop, match="truncate"):
        await apply(unit, claim, log.records)
    assert [hint[1] for hint in citizen.execute(HINTS)] == ["S1"]
    with pytest.raises(FlowMustStop, match="truncate"):
        await apply(unit, claim, log.records[1:])
    assert counts(citizen)[:2] == (1, 1)


async def test_tombstones_are_counted_and_move_the_ledger(unit, claim, citizen, log):
    log.raw(None)
    log.raw(None)
    await apply(unit, claim, log.records)
    assert counts(citizen) == (2, 2, 0, 0, 0, 2)


async def test_candidates_that_fell_behind_are_brought_up_without_touching_the_target(make_unit, citizen, log):
    unit, heir = make_unit("first"), make_unit("second")
    claim = await claim_of(unit)
    home = family()
    for number in range(1, 4):
        log.upsert(number, home, eligibility_score=f"0.{number}000")
    await apply(unit, claim, log.records)
    before = citizen.execute(VERSIONS).fetchall()
    # The heir has lost its table and the changelog; it reads again from the beginning, the ledger stands at 3.
    log.upsert(4, home, eligibility_score="0.9000")
    await apply(heir, await claim_of(heir, "heir"), log.records)
    assert [hint[1] for hint in citizen.execute(HINTS)] == ["S4", "S3", "S2", "S1"]
    assert counts(citizen)[:3] == (4, 4, 4)
    assert {line[3] for line in before} <= {hint[1] for hint in citizen.execute(HINTS)}


async def test_a_row_that_moves_to_another_family_leaves_one_and_joins_the_other(unit, claim, citizen, log):
    old, new = new_family(), new_family()
    log.upsert(1, old)
    log.event("c", row(1, new), lsn=2000)
    log.event("d", None, {"snapshot_id": 1, "family_id": old}, lsn=2000)
    await apply(unit, claim, log.records)
    assert [hint[0] for hint in citizen.execute(HINTS)] == [new]


async def test_a_changed_primary_key_under_the_same_family_is_a_move(unit, claim, citizen, log):
    home = family()
    log.upsert(1, home)
    log.event("u", row(9, home), before={"snapshot_id": 1, "family_id": home})
    await apply(unit, claim, log.records)
    assert [hint[1] for hint in citizen.execute(HINTS)] == ["S9"]


async def test_a_unit_of_work_that_dies_at_any_await_leaves_nothing_half_done(make_unit, citizen, log):
    """Kill the chunk after 1, 2, 3 … turns of the loop, then apply it again as another worker would."""
    homes = [family() for _ in range(5)]
    finished, turns = False, 0
    while not finished:
        turns += 1
        for number in range(5):
            log.upsert(number, homes[number], explanation=f"turn {turns}")
        log.raw(b"{")
        chunk = log.records[-6:]
        dying, heir = make_unit(f"dying-{turns}"), make_unit(f"heir-{turns}")
        finished = await die_after(turns, apply(dying, await claim_of(dying, "dying"), chunk))
        await apply(heir, await claim_of(heir, "heir"), chunk)
        assert counts(citizen)[:2] == (6 * turns, 6 * turns)
        assert len(letters(citizen)) == turns
        assert [hint[4] for hint in citizen.execute(HINTS)] == [f"turn {turns}"] * len(homes)
        await dying.pool.close()
        await heir.pool.close()
    assert turns > 3
