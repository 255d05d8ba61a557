"""What the tests of profile summaries share: a warehouse of families, the records of its changes, and workers."""

import asyncio
import random
import uuid
from datetime import UTC, datetime, timedelta

import psycopg2

from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY as FLOW
from schemas.message_key import message_key, partition_of
from sinks import ledger
from sinks.parked import ParkedTable
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from sinks.sqlstate import Remedy, remedy_of
from streams.giving_up import GivingUp
from streams.mirror import MirrorApplier, MirrorWriter
from streams.mirror_decoding import MirrorDecoder
from streams.patience import Patience
from streams.release import Release
from streams.share_breaker import ShareBreaker
from streams.shared_look import SharedLook
from streams.summary import SummaryWriter
from streams.summary_applier import SummaryApplier
from streams.summary_decoding import SummaryDecoder
from streams.summary_moves import Moves
from streams.summary_rebuild import SummaryRebuilder
from streams.summary_upkeep import SummaryUpkeep
from streams.unit_of_work import UnitOfWork
from tests.support.record_log import RecordLog

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at(minute):
    return (START + timedelta(minutes=minute)).isoformat()


def identifier(chance):
    return str(uuid.UUID(int=chance.getrandbits(128)))


def profile(number, gr_id, minute=0, **values):
    made = {"vulnerability_level": f"level {number}", "under_coverage_indicator": True, "cluster_id": f"cluster {number}"}
    return {"profile_id": number, "gr_id": gr_id, "updated_at": at(minute)} | made | values


class Log(RecordLog):
    """Records of one partition of one topic, as Debezium would write them."""

    def __init__(self, flow=FLOW, partition=0, topic=None):
        super().__init__(topic or flow.topic, partition)
        self.flow = flow

    def event(self, op, before, after, lsn):
        key = message_key(self.flow, (after or before)[self.flow.source.message_key])
        return self.debezium(key, op, before, after, lsn=lsn, at=START)


class Warehouse:
    """Families that live; every change goes to the logs of its partition, and some are sent again."""

    def __init__(self, seed=0, lanes=2, people=8, families=4, profiles=12):
        self.random = random.Random(seed)
        self.people = [identifier(self.random) for _ in range(people)]
        self.families = [identifier(self.random) for _ in range(families)]
        self.numbers = range(1, profiles + 1)
        self.profiles, self.golden = {}, {}
        self.logs = {flow.name: [Log(flow, partition) for partition in range(lanes)] for flow in (FLOW, GOLDEN_RECORDS)}
        self._lanes, self._lsn, self._sent = lanes, 1000, []

    def live(self, changes):
        for _ in range(changes):
            self._lsn += self.random.randint(1, 3)
            self.random.choice((self._person, self._profile, self._profile, self._profile_gone, self._rekeyed))()
            if self._sent and self.random.random() < 0.1:
                self._send(*self.random.choice(self._sent))

    def send(self, flow, op, before, after):
        self._sent.append((flow, op, before, after, self._lsn))
        self._send(*self._sent[-1])

    def _send(self, flow, op, before, after, lsn):
        key = message_key(flow, (after or before)[flow.source.message_key])
        self.logs[flow.name][partition_of(key, self._lanes)].event(op, before, after, lsn)

    def _person(self):
        gr_id = self.random.choice(self.people)
        row = dict.fromkeys(column.name for column in GOLDEN_RECORDS.source.columns) | {"gr_id": gr_id, "updated_at": at(0)}
        if gr_id in self.golden and self.random.random() < 0.3:
            del self.golden[gr_id]
            self.send(GOLDEN_RECORDS, "d", {"gr_id": gr_id}, None)
        else:
            self.golden[gr_id] = self.random.choice([*self.families, None])
            self.send(GOLDEN_RECORDS, "u", None, row | {"family_id": self.golden[gr_id]})

    def _profile(self):
        """With a changed key it is a delete and a create at one position, in two partitions."""
        number = self.random.choice(self.numbers)
        before, after = self.profiles.get(number), self._drawn(number)
        self.profiles[number] = after
        if before is not None and before["gr_id"] != after["gr_id"]:
            self.send(FLOW, "d", before, None)
            self.send(FLOW, "c", None, after)
        else:
            self.send(FLOW, "c" if before is None else "u", before, after)

    def _drawn(self, number):
        before = self.profiles.get(number)
        gr_id = before["gr_id"] if before and self.random.random() < 0.7 else self.random.choice(self.people)
        level, cluster = self.random.choice([None, "HIGH", "LOW"]), self.random.choice([None, "north", "south"])
        covered = self.random.choice([None, True, False])
        minute = self.random.randrange(30)  # Equal times are common.
        return profile(number, gr_id, minute, vulnerability_level=level, cluster_id=cluster, under_coverage_indicator=covered)

    def _profile_gone(self):
        if self.profiles:
            number = self.random.choice(list(self.profiles))
            self.send(FLOW, "d", self.profiles.pop(number), None)

    def _rekeyed(self):
        free = [number for number in self.numbers if number not in self.profiles]
        if self.profiles and free:
            before = self.profiles.pop(self.random.choice(list(self.profiles)))
            after = before | {"profile_id": self.random.choice(free)}
            self.profiles[after["profile_id"]] = after
            self.send(FLOW, "u", before, after)


class Worker:
    """Everything that a worker has for the two flows."""

    def __init__(self, settings, deadline=900.0):
        self.target, self.source = Pool(settings.citizen), Pool(settings.warehouse)
        cipher = PayloadCipher(settings.payload_keys)
        decoder, self.writer = SummaryDecoder(FLOW, epoch=1), SummaryWriter(FLOW)
        parked = ParkedTable(FLOW.name, FLOW.reference, FLOW.reference_source.type, cipher)
        self.applier = SummaryApplier(FLOW, self.writer, parked, decoder, deadline)
        mirror = MirrorApplier(MirrorWriter(GOLDEN_RECORDS, [FLOW]), MirrorDecoder(GOLDEN_RECORDS, epoch=1))
        appliers = {FLOW.name: (FLOW, self.applier), GOLDEN_RECORDS.name: (GOLDEN_RECORDS, mirror)}
        self.units = {
            name: UnitOfWork(flow, applier, self.target, cipher, ShareBreaker(10_000, 0.9))
            for name, (flow, applier) in appliers.items()
        }
        rebuilder = SummaryRebuilder(FLOW, self.source, self.target, self.writer, decoder)
        breaker = self.units[FLOW.name].breaker
        release, giving_up = Release(self.applier, self.target, cipher, breaker), GivingUp(self.applier, self.target, breaker)
        moves = Moves(FLOW, self.target, self.writer)
        looks = [SharedLook(self.target, look, fresh=0.0) for look in (parked.due, moves.due)]
        self.upkeep = SummaryUpkeep(rebuilder, release, giving_up, Patience(0.0), looks[0], moves, looks[1])

    async def claim(self, log, owner="worker"):
        async with self.target.session() as session:
            (claim,) = await ledger.claim(session, log.flow.name, owner, [(log.topic, log.partition, 0)])
        return claim

    async def apply(self, log, records=None, claim=None):
        """As a lane does: what is in the way of other lanes is tried again."""
        unit, claim = self.units[log.flow.name], claim or await self.claim(log)
        for chunk in unit.applier.decoder.decode(log.records if records is None else records, keep=True):
            await _patiently(lambda chunk=chunk: unit.apply(claim, chunk))

    async def tick(self, claim):
        await _patiently(lambda: self.upkeep.tick(claim))

    async def close(self):
        await self.target.close()
        await self.source.close()


async def _patiently(attempt):
    while True:
        try:
            return await attempt()
        except psycopg2.Error as error:
            if remedy_of(error) is not Remedy.WAIT:
                raise
            await asyncio.sleep(0)


def standing(citizen):
    """Family to its row but the family."""
    found = citizen.execute(
        "SELECT family_id::text, vulnerability, under_coverage, income_category, region, updated_at FROM public.profile_summary"
    ).fetchall()
    return {family: tuple(rest) for family, *rest in found}
