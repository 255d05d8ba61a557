"""The laws, over every mirror flow and where they concern callbacks over callback flows, on the real database."""

import random
from collections import Counter
from itertools import pairwise

import pytest

from schemas.connector import TOAST_PLACEHOLDER
from schemas.headers import REPLAY_HEADER
from sinks.ledger import LostOwnership
from streams.unit_of_work import FlowMustStop
from tests.integration.streams.conftest import apply
from tests.integration.streams.mirrors import MirrorLog, every_mirror, every_row_flow, log_of, mirror_claim, mirror_unit
from tests.oracle.mirrors import EXPECTED
from tests.support.dying import die_after
from tests.support.target_rows import rows, tuples

SEEDS = range(3)
LONG_TEXTS = {"full_name", "file_name", "status"}


@pytest.fixture
async def unit(flow, migrated):
    made = mirror_unit(flow, migrated)
    yield made
    await made.pool.close()


@pytest.fixture
def target(flow, warehouse, citizen):
    connection = {"warehouse": warehouse, "citizen": citizen}[flow.target.table.database.value]
    columns = ", ".join(f"{name} {kind}" for name, kind in flow.written_columns)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {flow.target.table.qualified} ({columns}, PRIMARY KEY ({flow.key}))")
    connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {flow.target.table.schema} TO sync_worker")
    return connection


@pytest.fixture
async def claim(unit):
    return await mirror_claim(unit)


@pytest.fixture
def log(flow):
    return log_of(flow)


def counts(target):
    return target.execute(
        "SELECT next_offset, records_read, applied, superseded, dead_lettered FROM sync.ledger ORDER BY topic DESC LIMIT 1"
    ).fetchone()


def rewind(target):
    target.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset")


def in_chunks(records, chance):
    """The records, cut at random places."""
    cuts = [0, *sorted(chance.sample(range(1, len(records)), min(6, len(records) - 1))), len(records)]
    return [records[low:high] for low, high in pairwise(cuts)]


def history(flow, seed, events=250, keys=25):
    """A log and what it comes to: (key → row or None, in the order of LSN), with repetitions of old changes in between."""
    chance, log = random.Random(seed), MirrorLog(flow, seed=seed)
    names = [log.row()[flow.source.primary_key] for _ in range(keys)]
    lsn, changes, state = 5000, [], {}
    for _ in range(events):
        if changes and chance.random() < 0.2:
            log.event(*chance.choice(changes))  # Debezium sends again after a restart
            continue
        lsn += chance.randint(1, 3)
        key = chance.choice(names)
        if state.get(key) and chance.random() < 0.25:
            changes.append(("d", {flow.source.primary_key: key}, None, lsn))
        else:
            changes.append(("u" if state.get(key) else "c", None, log.row(key), lsn))
        state[key] = changes[-1][2]
        log.event(*changes[-1])
    return log, state


@every_mirror
@pytest.mark.parametrize("seed", SEEDS)
async def test_random_histories_come_to_what_the_oracle_says_and_a_replay_changes_no_row(flow, seed, unit, claim, target):
    log, state = history(flow, seed)
    for part in in_chunks(log.records, random.Random(seed)):
        await apply(unit, claim, part)
    live = {key: row for key, row in state.items() if row}
    found = rows(flow, target)
    standing = {key: row for key, row in found.items() if not row.get("deleted_at")}
    assert {key: EXPECTED[flow.name](row) for key, row in live.items()} == {
        key: {name: value for name, value in row.items() if name != "deleted_at"} for key, row in standing.items()
    }
    if flow.deleted_at:
        assert found.keys() - standing.keys() == state.keys() - live.keys()
    assert counts(target)[:2] == (len(log.records), len(log.records))
    before = tuples(flow, target)
    rewind(target)
    for part in in_chunks(log.records, random.Random(seed + 100)):
        done = await apply(unit, claim, part)
        assert (done.written, done.deleted) == (0, 0)
    assert tuples(flow, target) == before


@every_mirror
async def test_an_old_update_behind_a_delete_does_not_bring_the_row_back(flow, unit, claim, target, log):
    row = log.row()
    key = row[flow.source.primary_key]
    log.upsert(row, "c", lsn=10)
    log.delete(key, lsn=30)
    await apply(unit, claim, log.records)
    log.upsert(row, lsn=20)
    await apply(unit, claim, log.records[2:])
    assert not [found for found in rows(flow, target).values() if not found.get("deleted_at")]
    applied = 2 if flow.deleted_at else 1  # a row that stays gets its last content before it is marked
    assert counts(target)[1:4] == (3, applied, 3 - applied)


@every_mirror
async def test_a_row_that_is_deleted_and_made_anew_stands_also_with_one_position_for_both(flow, unit, claim, target, log):
    row = log.row()
    log.upsert(row, "c", lsn=10)
    log.delete(row[flow.source.primary_key], lsn=20)
    log.upsert(row, "c", lsn=20)
    for record in log.records:
        await apply(unit, claim, [record])
    (found,) = rows(flow, target).values()
    assert not found.get("deleted_at")


@every_mirror
async def test_a_snapshot_read_fills_what_is_absent_and_overwrites_nothing(flow, unit, claim, target, log):
    changed, new = log.row(), log.row()
    log.upsert(changed, "c", lsn=10)
    log.upsert(log.row(changed[flow.source.primary_key]), "r", lsn=99)
    log.upsert(new, "r", lsn=99)
    log.upsert(log.row(new[flow.source.primary_key]), "r", lsn=100)
    await apply(unit, claim, log.records)
    expected = {row[flow.source.primary_key]: EXPECTED[flow.name](row) for row in (changed, new)}
    found = rows(flow, target)
    assert {key: {name: found[key][name] for name in row} for key, row in expected.items()} == expected


@every_mirror
async def test_content_that_goes_there_and_back_within_a_chunk_still_counts_as_newer(flow, unit, claim, target, log):
    first, other = log.row(), log.row()
    other[flow.source.primary_key] = first[flow.source.primary_key]
    log.upsert(first, "c", lsn=10)
    await apply(unit, claim, log.records)
    log.upsert(other, lsn=20)
    log.upsert(first, lsn=30)
    await apply(unit, claim, log.records[1:])
    log.upsert(other, lsn=25)  # stale: between the two that were folded
    await apply(unit, claim, log.records[3:])
    (found,) = rows(flow, target).values()
    assert {name: found[name] for name in EXPECTED[flow.name](first)} == EXPECTED[flow.name](first)


@every_row_flow
async def test_an_old_fencing_token_writes_nothing(flow, unit, claim, target, log):
    log.upsert(log.row())
    await mirror_claim(unit, "heir")
    with pytest.raises(LostOwnership):
        await apply(unit, claim, log.records)
    assert rows(flow, target) == {}


@every_row_flow
async def test_a_bad_row_among_many_is_isolated_and_its_last_good_version_stands(flow, unit, claim, target, log):
    good = [log.row() for _ in range(60)]
    for row in good:
        log.upsert(row, "c")
    log.bad(good[7])
    log.raw(b"{")
    await apply(unit, claim, log.records)
    assert rows(flow, target).keys() == {row[flow.source.primary_key] for row in good}
    assert counts(target) == (62, 62, 60, 0, 2)
    log.upsert(good[7])
    await apply(unit, claim, log.records[-1:])
    statuses = target.execute("SELECT row_key IS NULL, status FROM sync.dead_letter ORDER BY id").fetchall()
    assert statuses == [(False, "closed"), (True, "open")]


@every_row_flow
async def test_only_a_good_version_behind_a_bad_one_closes_its_letter_also_in_the_same_chunk(flow, unit, claim, target, log):
    row = log.row()
    log.bad(row)
    log.upsert(row)
    await apply(unit, claim, log.records)
    assert target.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]
    log.upsert(row)
    log.bad(row)
    await apply(unit, claim, log.records[2:])
    assert target.execute("SELECT status FROM sync.dead_letter ORDER BY id").fetchall() == [("closed",), ("open",)]


@every_row_flow
async def test_a_row_that_the_database_refuses_is_found_by_halving(flow, unit, claim, target, log):
    culprit = log.row()
    condition = f"{flow.key} <> '{culprit[flow.source.primary_key]}'"
    target.execute(f"ALTER TABLE {flow.target.table.qualified} ADD CONSTRAINT no_bad CHECK ({condition})")
    for number in range(40):
        log.upsert(culprit if number == 23 else log.row(), "c")
    await apply(unit, claim, log.records)
    assert len(rows(flow, target)) == 39
    assert target.execute('SELECT "offset", reason FROM sync.dead_letter').fetchall() == [(23, "refused_by_database")]
    target.execute(f"ALTER TABLE {flow.target.table.qualified} DROP CONSTRAINT no_bad")
    (letter,) = target.execute("UPDATE sync.dead_letter SET status = 'replayed' RETURNING id").fetchone()
    commands = log_of(flow, flow.command_topic)
    commands.raw(log.records[23].value, log.records[23].key, [(REPLAY_HEADER, str(letter).encode())])
    await apply(unit, await mirror_claim(unit, topic=flow.command_topic), commands.records)
    assert len(rows(flow, target)) == 40
    assert target.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]


@every_mirror
async def test_a_value_that_the_source_left_out_is_the_one_that_stands(flow, unit, claim, target, log):
    text = next(c.source for c in flow.target.columns if c.sql_type.base == "varchar" and c.source in LONG_TEXTS)
    name = next(c.name for c in flow.target.columns if c.source == text)
    rest = log.row(**{text: "before"})
    log.upsert(rest, "c")
    await apply(unit, claim, log.records)
    log.upsert(rest | {text: TOAST_PLACEHOLDER})
    log.upsert(unknown := log.row(**{text: TOAST_PLACEHOLDER}))
    log.upsert(third := log.row(**{text: "in the chunk"}), "c")
    log.upsert(third | {text: TOAST_PLACEHOLDER})
    await apply(unit, claim, log.records[1:])
    found = {key: row[name] for key, row in rows(flow, target).items()}
    key = flow.source.primary_key
    assert found == {rest[key]: "before", third[key]: "in the chunk"}
    letters = target.execute("SELECT row_key, reason FROM sync.dead_letter").fetchall()
    assert letters == [(unknown[key], "unchanged_toast")]


@every_mirror
async def test_a_truncate_stops_the_flow(flow, unit, claim, target, log):
    log.upsert(log.row(), "c")
    log.truncate()
    with pytest.raises(FlowMustStop, match="truncate"):
        await apply(unit, claim, log.records)
    assert len(rows(flow, target)) == 1
    assert counts(target)[0] == 1


@every_row_flow
async def test_a_unit_of_work_that_dies_at_any_await_leaves_nothing_half_done(flow, migrated, target):
    state, turns, finished = {}, 0, False
    log = log_of(flow)
    while not finished:
        turns += 1
        for _ in range(5):
            row = log.row()
            log.upsert(row, "c")
            state[row[flow.source.primary_key]] = row
        part = log.records[-5:]
        dying, heir = mirror_unit(flow, migrated), mirror_unit(flow, migrated)
        finished = await die_after(turns, apply(dying, await mirror_claim(dying, "dying"), part), pause=0.0005)
        await apply(heir, await mirror_claim(heir, "heir"), part)
        assert rows(flow, target).keys() == state.keys()
        assert counts(target)[:2] == (5 * turns, 5 * turns)
        if flow.notice:
            assert target.execute("SELECT count(*) FROM notifications").fetchone() == (len(state),)
        await dying.pool.close()
        await heir.pool.close()
    assert turns > 2


@every_mirror
async def test_a_chunk_that_wrote_wakes_those_who_wait_once(flow, unit, claim, target, log):
    if flow.wakes is None:
        assert "pg_notify" not in unit.applier.writer._plain
        return
    target.execute(f"LISTEN {flow.wakes}")
    for _ in range(3):
        log.upsert(log.row(), "c")
    await apply(unit, claim, log.records)
    rewind(target)
    await apply(unit, claim, log.records)
    heard = Counter(note.payload for note in target.notifies(timeout=2, stop_after=1))
    assert heard == {"3": 1}
    assert not list(target.notifies(timeout=0.2))
