"""A unit of work over the real database, with the candidates in RocksDB and the changelog in memory."""

import uuid
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import count

import pytest

from cli.migrate import migrate_databases
from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from schemas.message_key import message_key
from settings import Database
from sinks import ledger
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from streams.ranked import RankedApplier
from streams.ranked_decoding import RankedDecoder
from streams.ranked_writer import RankedWriter
from streams.share_breaker import ShareBreaker
from streams.unit_of_work import Committed, OriginalsNeeded, UnitOfWork
from tests.support.changelog import FakeChangelog, make_table
from tests.support.record_log import RecordLog

NOW = datetime.now(UTC)


class Log(RecordLog):
    """Records of one partition, as Debezium would write them."""

    def __init__(self, topic=FLOW.topic, partition=0):
        super().__init__(topic, partition)
        self._lsn = count(1000)

    def event(self, op, row, before=None, lsn=None):
        key = message_key(FLOW, (row or before)["family_id"])
        return self.debezium(key, op, before, row, lsn=lsn or next(self._lsn), at=NOW)

    def upsert(self, number, family, **values):
        return self.event("u", row(number, family, **values))

    def delete(self, number, family):
        return self.event("d", None, {"snapshot_id": number, "family_id": family})

    def truncate(self, lsn=None):
        return self.truncated(lsn or next(self._lsn))


def row(number, family, **values):
    stamp = (NOW - timedelta(minutes=1)).isoformat()
    return {
        "snapshot_id": number, "family_id": family, "member_id": None, "scheme_code": f"S{number}",
        "evaluation_status": "RULE_ELIGIBLE", "eligibility_score": "0.5000", "confidence_score": "0.5000",
        "explanation": "because", "evaluation_timestamp": stamp, "updated_at": stamp,
    } | values  # fmt: skip


def family():
    return str(uuid.uuid4())


@pytest.fixture
def migrated(warehouse, citizen, fresh_databases):
    migrate_databases(fresh_databases)
    return fresh_databases


@pytest.fixture
def changelog():
    return FakeChangelog()


@pytest.fixture
def log():
    return Log()


@pytest.fixture
async def make_unit(migrated, changelog, tmp_path):
    """Units of work as of different workers; ``settings`` may change the database's."""
    pools = []

    def make(name="worker", breaker=(10_000, 0.9), **settings):
        database = Database(**(migrated.citizen.model_dump() | settings))
        pool = Pool(database)
        pools.append(pool)
        table = make_table(tmp_path / name, changelog)
        cipher = PayloadCipher(migrated.payload_keys)
        applier = RankedApplier(table, RankedWriter(FLOW, table), RankedDecoder(FLOW, epoch=1))
        return UnitOfWork(FLOW, applier, pool, cipher, ShareBreaker(*breaker))

    yield make
    for pool in pools:
        await pool.close()


@pytest.fixture
async def unit(make_unit):
    return make_unit()


async def apply(unit, claim, records):
    """As a lane does: decode, apply, and read again with all originals where a row is at fault."""
    try:
        done = [await unit.apply(claim, chunk) for chunk in unit.applier.decoder.decode(records)]
    except OriginalsNeeded:
        done = [await unit.apply(claim, chunk) for chunk in unit.applier.decoder.decode(records, keep=True)]
    return reduce(Committed.then, done)


async def claim_of(unit, owner="worker", topic=FLOW.topic, start=0, partition=0):
    async with unit.pool.session() as session:
        (claim,) = await ledger.claim(session, FLOW.name, owner, [(topic, partition, start)])
    return claim


@pytest.fixture
async def claim(unit):
    return await claim_of(unit)
