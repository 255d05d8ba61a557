"""What the tests of the mirror flows and of callback flows share: rows of any flow's source, records of them, units of work."""

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import pytest

from flows.application_decisions import APPLICATION_DECISIONS
from flows.document_metadata import DOCUMENT_METADATA
from flows.golden_records import GOLDEN_RECORDS
from schemas.message_key import message_key
from sinks import ledger
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from streams.callback_decoding import CallbackDecoder
from streams.mirror import MirrorApplier, MirrorWriter
from streams.mirror_decoding import MirrorDecoder
from streams.share_breaker import ShareBreaker
from streams.unit_of_work import UnitOfWork
from tests.support.posted import POSTED, PostedLog
from tests.support.record_log import RecordLog

MIRRORS = (APPLICATION_DECISIONS, DOCUMENT_METADATA, GOLDEN_RECORDS)
every_mirror = pytest.mark.parametrize("flow", MIRRORS, ids=lambda flow: flow.name)
every_row_flow = pytest.mark.parametrize("flow", [*MIRRORS, *POSTED], ids=lambda flow: flow.name)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEXTS = ["", "a", "ರಾಮ", 'quote " and \\ back', "line\nbreak", "👩🏽‍🌾 x", "0123456789012345678901234567890123456789"]


class MirrorLog(RecordLog):
    """Records of one partition of a mirror flow, as Debezium would write them."""

    def __init__(self, flow, topic=None, seed=0):
        super().__init__(topic or flow.topic)
        self.flow = flow
        self._random = random.Random(seed)
        self._lsn = count(1000)
        self._minute = count()

    def row(self, key=None, **values):
        """A source row with random good values."""
        made = {column.name: self._value(column) for column in self.flow.source.columns}
        made[self.flow.source.primary_key] = key or str(uuid.UUID(int=self._random.getrandbits(128)))
        return made | values

    def _value(self, column):
        if not column.required and self._random.random() < 0.2:
            return None
        make = {
            "uuid": lambda _: str(uuid.UUID(int=self._random.getrandbits(128))),
            "varchar": lambda sizes: self._random.choice(TEXTS)[: sizes[0]],
            "text": lambda _: self._random.choice(TEXTS),
            "date": lambda _: f"{self._random.randint(1900, 2020)}-{self._random.randint(1, 12):02}-11Z",
            "timestamptz": lambda _: (START + timedelta(microseconds=self._random.randrange(10**15))).isoformat(),
            "numeric": lambda sizes: str(Decimal(self._random.randint(0, 10 ** sizes[1])).scaleb(-sizes[1])),
            "jsonb": lambda _: json.dumps([self._random.choice(TEXTS), self._random.randint(0, 9)]),
            "boolean": lambda _: self._random.random() < 0.5,
        }.get(column.sql_type.base, lambda _: self._random.randrange(1000))
        return make(column.sql_type.sizes)

    def event(self, op, before, after, lsn=None):
        lsn = next(self._lsn) if lsn is None else lsn
        at = START + timedelta(minutes=next(self._minute))
        key = message_key(self.flow, (after or before)[self.flow.source.primary_key])
        return self.debezium(key, op, before, after, lsn=lsn, at=at)

    def upsert(self, row, op="u", lsn=None):
        return self.event(op, None, row, lsn)

    def delete(self, key, lsn=None):
        return self.event("d", {self.flow.source.primary_key: key}, None, lsn)

    def bad(self, row):
        """A row that the checks refuse."""
        return self.upsert(row | {self.flow.source.columns[-1].name: ["of no type that the column has"]})

    def truncate(self, lsn=None):
        return self.truncated(lsn or next(self._lsn))


def log_of(flow, topic=None):
    """A log of records as they come for that flow."""
    return (PostedLog if flow in POSTED else MirrorLog)(flow, topic)


def mirror_unit(flow, settings, breaker=(10_000, 0.9)):
    """A unit of work and its pool."""
    pool = Pool(settings.databases[flow.target.table.database.value])
    decoder = CallbackDecoder(flow) if flow in POSTED else MirrorDecoder(flow, epoch=1)
    applier = MirrorApplier(MirrorWriter(flow), decoder)
    return UnitOfWork(flow, applier, pool, PayloadCipher(settings.payload_keys), ShareBreaker(*breaker))


async def mirror_claim(unit, owner="worker", topic=None):
    async with unit.pool.session() as session:
        (claim,) = await ledger.claim(session, unit.flow.name, owner, [(topic or unit.flow.topic, 0, 0)])
    return claim
