"""The parts of a worker that the append flow needs."""

from flows.application_events import APPLICATION_EVENTS as FLOW
from sinks import ledger
from sinks.parked import ParkedTable
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from streams.append import AppendApplier, AppendWriter
from streams.append_decoding import AppendDecoder
from streams.append_rebuild import AppendRebuilder
from streams.giving_up import GivingUp
from streams.parking_upkeep import ParkingUpkeep
from streams.patience import Patience
from streams.release import Release
from streams.share_breaker import ShareBreaker
from streams.shared_look import SharedLook
from streams.unit_of_work import UnitOfWork


class Worker:
    """Everything that a worker has for the flow. ``deadline`` in seconds; no patience unless a test asks for some."""

    def __init__(self, settings, deadline=900.0, patience=None, breaker=(10_000, 0.9), **different):
        self.target = Pool(settings.warehouse.model_copy(update=different))
        self.source = Pool(settings.citizen)
        cipher = PayloadCipher(settings.payload_keys)
        parked = ParkedTable(FLOW.name, FLOW.reference, FLOW.reference_source.type, cipher)
        self.applier = AppendApplier(FLOW, AppendWriter(FLOW), parked, AppendDecoder(FLOW, epoch=1), deadline)
        self.breaker = ShareBreaker(*breaker)
        self.unit = UnitOfWork(FLOW, self.applier, self.target, cipher, self.breaker)
        rebuilder = AppendRebuilder(self.applier, self.source, self.target)
        release = Release(self.applier, self.target, cipher, self.breaker)
        giving_up = GivingUp(self.applier, self.target, self.breaker)
        look = SharedLook(self.target, parked.due, fresh=0.0)
        self.upkeep = ParkingUpkeep(rebuilder, release, giving_up, patience or Patience(0.0), look)

    async def claim(self, owner="worker", topic=FLOW.topic, partition=0):
        async with self.target.session() as session:
            (claim,) = await ledger.claim(session, FLOW.name, owner, [(topic, partition, 0)])
        return claim

    async def apply(self, claim, records):
        """As a lane does; the originals are always there."""
        for chunk in self.applier.decoder.decode(records):
            await self.unit.apply(claim, chunk)

    async def close(self):
        await self.target.close()
        await self.source.close()
