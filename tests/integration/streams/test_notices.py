"""Notices of decisions, on the real database: one for each real change that comes as an event, whatever is read again."""

import uuid

import pytest

from flows.application_decisions import APPLICATION_DECISIONS as FLOW
from sinks.notices import notice_id
from tests.integration.streams.conftest import apply
from tests.integration.streams.mirrors import MirrorLog, mirror_claim, mirror_unit

NOTICES = "SELECT metadata->>'decision_status', metadata->>'status' FROM notifications ORDER BY created_at"


@pytest.fixture
async def unit(migrated):
    made = mirror_unit(FLOW, migrated)
    yield made
    await made.pool.close()


@pytest.fixture
async def claim(unit, citizen):
    citizen.execute("GRANT ALL ON application_decisions, notifications TO sync_worker")
    return await mirror_claim(unit)


@pytest.fixture
def log():
    return MirrorLog(FLOW)


def update(log, row, **values):
    """An update as replica identity full has it: with the old row."""
    changed = row | values
    log.event("u", row, changed)
    return changed


async def test_a_create_and_every_change_of_decision_or_status_within_a_chunk_are_told(unit, claim, citizen, log):
    row = log.row(decision="PENDING", status="OPEN")
    log.event("c", None, row)
    row = update(log, row, decision="APPROVED")
    row = update(log, row, risk_score="0.5000")
    row = update(log, row, status="CLOSED")
    await apply(unit, claim, log.records)
    assert citizen.execute(NOTICES).fetchall() == [("PENDING", "OPEN"), ("APPROVED", "OPEN"), ("APPROVED", "CLOSED")]
    (found,) = citizen.execute("SELECT DISTINCT type, application_id::text, family_id::text FROM notifications").fetchall()
    assert found == ("DECISION_UPDATE", row["application_id"], row["family_id"])


async def test_a_replay_tells_nothing_again(unit, claim, citizen, log):
    row = log.row(decision="A", status="X")
    log.event("c", None, row)
    update(log, row, decision="B")
    await apply(unit, claim, log.records)
    before = citizen.execute("SELECT xmin::text, * FROM notifications ORDER BY id").fetchall()
    citizen.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset")
    await apply(unit, claim, log.records)
    assert citizen.execute("SELECT xmin::text, * FROM notifications ORDER BY id").fetchall() == before
    assert len(before) == 2


async def test_what_a_snapshot_reads_is_no_news(unit, claim, citizen, log):
    log.event("r", None, log.row())
    await apply(unit, claim, log.records)
    assert citizen.execute("SELECT count(*) FROM application_decisions").fetchone() == (1,)
    assert citizen.execute(NOTICES).fetchall() == []


async def test_a_bad_row_is_not_told_until_it_is_good(unit, claim, citizen, log):
    row = log.row(decision="A", status="X")
    log.event("c", None, row | {"risk_score": "NaN"})
    await apply(unit, claim, log.records)
    assert citizen.execute(NOTICES).fetchall() == []
    log.event("c", None, row)
    await apply(unit, claim, log.records[1:])
    assert citizen.execute(NOTICES).fetchall() == [("A", "X")]


async def test_row_and_notice_become_visible_together_or_not_at_all(unit, claim, citizen, log):
    citizen.execute("ALTER TABLE notifications ADD CONSTRAINT none CHECK (message = '')")
    log.event("c", None, log.row())
    await apply(unit, claim, log.records)
    assert citizen.execute("SELECT count(*) FROM application_decisions").fetchone() == (0,)
    assert citizen.execute("SELECT reason FROM sync.dead_letter").fetchall() == [("refused_by_database",)]


def test_the_id_is_the_same_however_the_source_spells_the_time():
    from datetime import datetime

    number = str(uuid.uuid4())
    ids = {
        notice_id(number, "A", None, datetime.fromisoformat(text))
        for text in ("2026-01-01T05:30:00+05:30", "2026-01-01T00:00:00Z")
    }
    assert len(ids) == 1
    assert uuid.UUID(ids.pop()).version == 5
