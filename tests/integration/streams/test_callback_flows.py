"""Callback flows on the real database: which body stands, what is told, what a rebuild mends, what was lost."""

import random
import uuid
from datetime import timedelta

import pytest

from flows.ml_alerts import ML_ALERTS
from schemas.headers import OFFSET_HEADER, REPLAY_HEADER
from streams.topic_rebuild import TopicRebuilder
from streams.unit_of_work import FlowMustStop
from tests.integration.streams.conftest import apply
from tests.integration.streams.mirrors import mirror_claim, mirror_unit
from tests.integration.streams.test_mirror_flows import counts, in_chunks, rewind
from tests.support.posted import POSTED, START, PostedLog, in_python
from tests.support.target_rows import rows, tuples

NOTICES = "SELECT metadata->>'alert_id', message FROM notifications WHERE type = 'ML_ALERT'"
AUDIT = "SELECT action, subject, reason FROM sync.audit ORDER BY id"
every_flow = pytest.mark.parametrize("flow", POSTED, ids=lambda flow: flow.name)


@pytest.fixture
async def unit(flow, migrated):
    made = mirror_unit(flow, migrated)
    yield made
    await made.pool.close()


@pytest.fixture
async def claim(unit, citizen):
    citizen.execute("GRANT ALL ON benefit_forecasts, ml_alerts, notifications TO sync_worker")
    return await mirror_claim(unit)


@pytest.fixture
def log(flow):
    return PostedLog(flow)


def history(flow, seed, events=200, keys=20):
    """A log of bodies with equal times, late ones and repetitions; and key → what stands, the first text of each alert."""
    chance, log = random.Random(seed), PostedLog(flow, seed=seed)
    ids = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(keys)]
    bodies = []
    for _ in range(events):
        time = (START + timedelta(microseconds=chance.randrange(8))).isoformat()
        again = bodies and chance.random() < 0.2
        bodies.append(chance.choice(bodies) if again else log.row(chance.choice(ids), **{flow.source.time: time}))
        log.upsert(bodies[-1])
    standing, told = {}, {}
    for _, _, body in sorted(((body[flow.source.time], place, body) for place, body in enumerate(bodies)), key=lambda it: it[:2]):
        standing[body[flow.source.key]] = in_python(flow, body)
    for body in reversed(bodies):
        told[body[flow.source.key]] = body.get("message")
    return log, standing, told


@every_flow
@pytest.mark.parametrize("seed", range(3))
async def test_random_histories_come_to_what_the_oracle_says_and_a_replay_changes_no_row(flow, seed, unit, claim, citizen):
    log, standing, told = history(flow, seed)
    for part in in_chunks(log.records, random.Random(seed)):
        await apply(unit, claim, part)
    assert rows(flow, citizen) == standing
    assert dict(citizen.execute(NOTICES).fetchall()) == (told if flow is ML_ALERTS else {})
    assert counts(citizen)[:2] == (len(log.records), len(log.records))
    before, notices = tuples(flow, citizen), citizen.execute("SELECT xmin::text, id FROM notifications ORDER BY id").fetchall()
    assert len(notices) == (len(standing) if flow is ML_ALERTS else 0)
    rewind(citizen)
    for part in in_chunks(log.records, random.Random(seed + 100)):
        done = await apply(unit, claim, part)
        assert (done.written, done.deleted, done.counts["applied"]) == (0, 0, 0)
    assert tuples(flow, citizen) == before
    assert citizen.execute("SELECT xmin::text, id FROM notifications ORDER BY id").fetchall() == notices


@every_flow
async def test_of_equal_times_the_later_offset_stands_also_over_a_restart(flow, unit, claim, citizen, log, migrated):
    first = log.row()
    second = log.row(first[flow.source.key]) | {flow.source.time: first[flow.source.time]}
    log.upsert(first)
    log.upsert(second)
    await apply(unit, claim, log.records[:1])
    heir = mirror_unit(flow, migrated)
    heirs = await mirror_claim(heir, "heir")
    await apply(heir, heirs, log.records[1:])
    assert rows(flow, citizen) == {first[flow.source.key]: in_python(flow, second)}
    rewind(citizen)
    await apply(heir, heirs, log.records[:1])
    assert rows(flow, citizen) == {first[flow.source.key]: in_python(flow, second)}
    await heir.pool.close()


@every_flow
async def test_a_message_that_the_intake_wrote_twice_is_one_row_and_one_notice(flow, unit, claim, citizen, log):
    body = log.row()
    log.upsert(body)
    log.upsert(body)
    await apply(unit, claim, log.records)
    log.upsert(body)
    await apply(unit, claim, log.records[2:])
    before = tuples(flow, citizen)
    log.upsert(body)
    await apply(unit, claim, log.records[3:])
    assert tuples(flow, citizen) == before
    assert rows(flow, citizen) == {body[flow.source.key]: in_python(flow, body)}
    assert citizen.execute("SELECT count(*) FROM notifications").fetchone() == (1 if flow is ML_ALERTS else 0,)
    assert counts(citizen)[:2] == (4, 4)


@every_flow
async def test_a_letter_sent_again_does_not_overtake_a_body_of_the_same_time_that_came_later(flow, unit, claim, citizen, log):
    bad, later = log.row(), log.row()
    later = later | {name: bad[name] for name in (flow.source.key, flow.source.time)}
    log.bad(bad)
    log.upsert(later)
    await apply(unit, claim, log.records)
    (letter,) = citizen.execute("UPDATE sync.dead_letter SET status = 'replayed' RETURNING id").fetchone()
    commands = PostedLog(flow, flow.command_topic)
    for _ in range(3):
        commands.raw(None)
    good = PostedLog(flow).upsert(bad)
    commands.raw(good.value, good.key, [(REPLAY_HEADER, str(letter).encode()), (OFFSET_HEADER, b"0")])
    await apply(unit, await mirror_claim(unit, topic=flow.command_topic), commands.records)
    assert rows(flow, citizen) == {later[flow.source.key]: in_python(flow, later)}
    assert citizen.execute("SELECT status FROM sync.dead_letter").fetchall() == [("closed",)]


@pytest.mark.parametrize("flow", [ML_ALERTS], ids=lambda flow: flow.name)
async def test_alert_and_notice_become_visible_together_or_not_at_all(flow, unit, claim, citizen, log):
    citizen.execute("ALTER TABLE notifications ADD CONSTRAINT none CHECK (type <> 'ML_ALERT')")
    log.upsert(log.row())
    await apply(unit, claim, log.records)
    assert rows(flow, citizen) == {}
    assert citizen.execute("SELECT reason FROM sync.dead_letter").fetchall() == [("refused_by_database",)]


# -- reading the topic again --------------------------------------------------------------------------------------------


class HeldLog:
    """A log reader over records in memory, of which the log has dropped those before ``begin``."""

    def __init__(self, log, begin=0):
        self._log = log
        self._begin = begin

    async def start_offsets(self, partitions):
        return dict.fromkeys(partitions, self._begin)

    async def range(self, partition, offsets, timeout):
        assert partition == (self._log.topic, 0)
        assert timeout > 0
        return self._log.records[offsets.start : offsets.stop]


async def rebuild(unit, claim, log, begin=0, offset=None):
    reader = HeldLog(log, begin)
    offset = len(log.records) if offset is None else offset
    rebuilder = TopicRebuilder(unit.flow, unit.pool, reader, unit.applier.writer)
    await rebuilder.rebuild({claim.topic: claim}, {claim.topic: offset}, resync=1)


@every_flow
async def test_a_rebuild_writes_what_is_missing_or_different_removes_nothing_and_tells_nobody(flow, unit, claim, citizen, log):
    bodies = [log.row() for _ in range(6)]
    for body in bodies:
        log.upsert(body)
    await apply(unit, claim, log.records)
    before = rows(flow, citizen)
    table, key = flow.target.table.qualified, flow.key
    citizen.execute(f"DELETE FROM {table} WHERE {key} = %s", (bodies[3][key],))
    citizen.execute(f"UPDATE {table} SET family_id = gen_random_uuid() WHERE {key} = %s", (bodies[4][key],))
    citizen.execute("DELETE FROM notifications")
    untouched = [line for line in tuples(flow, citizen) if bodies[5][key] in line[2] or bodies[0][key] in line[2]]
    await rebuild(unit, claim, log, begin=2)
    assert rows(flow, citizen) == before
    assert [line for line in tuples(flow, citizen) if line in untouched] == untouched
    assert citizen.execute("SELECT count(*) FROM notifications").fetchone() == (0,)
    assert counts(citizen)[:2] == (6, 6)
    assert citizen.execute("SELECT resynced, skipped FROM sync.ledger").fetchone() == (1, 0)
    assert citizen.execute(AUDIT).fetchall() == []


@every_flow
async def test_a_rebuild_takes_no_row_back_also_when_it_begins_in_the_middle_of_its_versions(flow, unit, claim, citizen, log):
    newest = log.row()
    older = log.row(newest[flow.source.key]) | {flow.source.time: (START - timedelta(days=1)).isoformat()}
    log.upsert(newest)
    log.upsert(older)
    await apply(unit, claim, log.records)
    await rebuild(unit, claim, log, begin=1)
    assert rows(flow, citizen) == {newest[flow.source.key]: in_python(flow, newest)}


@every_flow
async def test_bad_records_and_refused_rows_do_not_keep_a_rebuild_from_its_end(flow, unit, claim, citizen, log):
    bodies = [log.row() for _ in range(8)]
    for body in bodies:
        log.upsert(body)
    log.raw(b"{")
    log.bad(bodies[1])
    await apply(unit, claim, log.records)
    table, key = flow.target.table.qualified, flow.key
    citizen.execute(f"DELETE FROM {table}")
    citizen.execute(f"ALTER TABLE {table} ADD CONSTRAINT no_bad CHECK ({key} <> '{bodies[5][key]}')")
    await rebuild(unit, claim, log)
    assert rows(flow, citizen).keys() == {body[key] for body in bodies if body is not bodies[5]}
    citizen.execute(f"DROP TABLE {table}")
    with pytest.raises(FlowMustStop, match="UNDEFINED_TABLE"):
        await rebuild(unit, claim, log)


@every_flow
async def test_what_the_log_dropped_unread_is_counted_and_named_in_the_audit_once(flow, unit, claim, citizen, log):
    for _ in range(10):
        log.upsert(log.row())
    await apply(unit, claim, log.records[:4])
    for _ in range(2):
        await rebuild(unit, claim, log, begin=7, offset=7)
    ((action, subject, reason),) = citizen.execute(AUDIT).fetchall()
    assert (action, subject) == ("records lost", f"{flow.name} {flow.topic}[0]")
    assert reason.startswith(
        "offsets 4 to 6 were gone from the log before they were read; the last one applied was received 2026"
    )
    assert citizen.execute("SELECT next_offset, records_read, skipped FROM sync.ledger").fetchone() == (7, 4, 3)
    await apply(unit, claim, log.records[7:])
    assert len(rows(flow, citizen)) == 7
