"""All flows of a worker over the real databases, without Kafka: what is sent is applied when the sender gets its answer."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import faust

from app.kinds import Surroundings, parts_of
from flows.model import RankedFlow
from flows.registry import CAPTURED
from flows.tables import Database
from reconcile.broker import Command
from schemas.message_key import message_key, partition_of
from settings import Worker
from sinks import ledger
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from sinks.source_rows import fenced_read
from streams.share_breaker import ShareBreaker
from streams.unit_of_work import OriginalsNeeded, UnitOfWork
from tests.support.changelog import FakeChangelog

# Each after those that write what it reads.
FIRST = ("scheme_map", "profile_updates", "golden_records")
IN_ORDER = sorted(CAPTURED, key=lambda flow: FIRST.index(flow.name) if flow.name in FIRST else len(FIRST))


class WholeWorker:
    """Fulfils :class:`~reconcile.broker.Broker`. ``deaf``: records are kept in the log, and nobody applies them."""

    def __init__(self, settings, folder):
        self.pools = {Database.WAREHOUSE: Pool(settings.warehouse), Database.CITIZEN: Pool(settings.citizen)}
        self.cipher = PayloadCipher(settings.payload_keys)
        self.deaf, self.sent = False, []
        self._app = faust.App("test", broker="memory://", datadir=str(folder), store="rocksdb://")
        self._app.finalize()
        self._app._create_directories()
        self._settings, self._changelog = Worker(), FakeChangelog()
        self._parts = {flow.name: self._made(flow) for flow in CAPTURED}
        self._logs, self._claims, self._applied = {}, {}, {}
        self._times = count(1000)

    def _made(self, flow):
        breaker = ShareBreaker(10_000, 0.9)
        around = Surroundings(self._app, self._settings, self.pools, self.cipher, None, breaker)
        applier, upkeep = parts_of(flow, around)
        if isinstance(flow, RankedFlow):
            applier.table.producer = lambda: self._changelog
        return UnitOfWork(flow, applier, around.target(flow), self.cipher, breaker), upkeep

    def around(self, flow):
        """Source and target of a flow."""
        return self.pools[flow.source.table.database], self.pools[flow.target.table.database]

    async def start(self):
        """Claim every partition and load what stands in the sources, as events do."""
        for flow in IN_ORDER:
            for topic in flow.topics:
                await self._claim(flow, topic)
            await self.load(flow)

    async def load(self, flow, op="c"):
        """Tell every row of a source as an event."""
        source, _ = self.around(flow)
        async with fenced_read(source, flow) as read:
            pages = [page async for page in read.pages()]
        for page in pages:
            await self.put(flow, [self.event(flow, op, json.loads(row.content), read.lsn) for row in page])

    def event(self, flow, op, row, lsn):
        """A record of the flow's source as Debezium writes it."""
        stands, gone = (None, row) if op == "d" else (row, None)
        source = {"lsn": lsn, "ts_us": int(datetime.now(UTC).timestamp() * 1e6)}
        value = json.dumps({"op": op, "before": gone, "after": stands, "source": source}).encode()
        key = message_key(flow, str(row[flow.source.message_key]))
        return Command(flow.topic, partition_of(key, flow.partitions), key, value)

    async def put(self, flow, commands):
        """Append records and have them applied."""
        for command in commands:
            self._append(command)
        if not self.deaf:
            await self.catch_up(flow)

    async def catch_up(self, flow):
        """Apply what lies in the log."""
        for topic in flow.topics:
            for partition in range(flow.partitions):
                log, done = self._logs.get((topic, partition), []), self._applied.get((flow.name, topic, partition), 0)
                if len(log) > done:
                    await self._apply(flow, self._claims[flow.name, topic, partition], log[done:])
                    self._applied[flow.name, topic, partition] = len(log)
        await self.tick()

    async def tick(self):
        """What time and other flows bring about."""
        for flow in CAPTURED:
            _, upkeep = self._parts[flow.name]
            upkeep.forget_ownership()  # what was seen a moment ago is not believed
            for topic, partition in [(flow.topic, partition) for partition in range(flow.partitions)]:
                if (flow.name, topic, partition) in self._claims:
                    await upkeep.tick(self._claims[flow.name, topic, partition])

    async def rebuild_when_asked(self, flow):
        """Until cancelled, rebuild all partitions whenever that is asked for."""
        _, upkeep = self._parts[flow.name]
        while True:
            async with self.pools[flow.target.table.database].session() as session:
                row = await session.row("SELECT resync FROM sync.flow_state WHERE flow = %s", (flow.name,))
                behind = await session.rows(
                    "SELECT DISTINCT partition FROM sync.ledger WHERE flow = %s AND resynced < %s",
                    (flow.name, row[0] if row else 0),
                )
            await asyncio.gather(*[self._rebuild(flow, upkeep, partition, row[0]) for (partition,) in behind])
            await asyncio.sleep(0.05)

    async def _rebuild(self, flow, upkeep, partition, resync):
        claims = {topic: self._claims[flow.name, topic, partition] for topic in flow.topics}
        offsets = {topic: len(self._logs.get((topic, partition), [])) for topic in flow.topics}
        await upkeep.rebuild(claims, offsets, resync)

    def candidates(self):
        """(place, bytes) of what the tables of candidates hold, and of their changelogs as the next reader sees them."""
        for flow in [flow for flow in CAPTURED if isinstance(flow, RankedFlow)]:
            table = self._parts[flow.name][0].applier.table
            for partition in range(flow.partitions):
                yield from (("store", part) for pair in table._db(partition).items() for part in pair)
        for log in self._changelog.logs.values():
            newest = {record.key: record.value for record in log}
            yield from (("changelog", key + value) for key, value in newest.items() if value is not None)

    async def _claim(self, flow, topic):
        starts = [(topic, partition, 0) for partition in range(flow.partitions)]
        async with self.pools[flow.target.table.database].session() as session:
            for claim in await ledger.claim(session, flow.name, "worker", starts):
                self._claims[flow.name, topic, claim.partition] = claim

    async def _apply(self, flow, claim, records):
        unit, _ = self._parts[flow.name]
        try:
            chunks = unit.applier.decoder.decode(records)
            for chunk in chunks:
                await unit.apply(claim, chunk)
        except OriginalsNeeded:
            for chunk in unit.applier.decoder.decode(records, keep=True):
                await unit.apply(claim, chunk)

    def _append(self, command):
        log = self._logs.setdefault((command.topic, command.partition), [])
        place = {"topic": command.topic, "partition": command.partition, "offset": len(log), "timestamp": next(self._times)}
        log.append(SimpleNamespace(**place, key=command.key, value=command.value, headers=command.headers))

    # -- as a broker ---------------------------------------------------------------------------------------------------

    async def ends(self, partitions):
        return {partition: len(self._logs.get(partition, [])) for partition in partitions}

    async def last_value(self, topic):
        """The heart has just beaten."""
        return json.dumps({"after": {"beat_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}}).encode()

    async def send(self, commands):
        self.sent += commands
        for flow in CAPTURED:
            if mine := [command for command in commands if command.topic in flow.topics]:
                await self.put(flow, mine)

    async def close(self):
        for pool in self.pools.values():
            await pool.close()
