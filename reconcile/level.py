"""Waits until a target has all that was committed in its source: only then a difference is one.

A beat of the source's heart is written last. When it is in its topic, everything before it is in the topics of the flows; when
the ledger has reached their ends, it is in the target.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flows.replication import heartbeat_table
from reconcile.broker import Broker, Partition
from reconcile.comparison import Comparison
from sinks.flow_state import RUNNING
from sinks.pool import Pool

_LOOK_SECONDS: Final = 0.1
_BEAT: Final = "UPDATE sync.heartbeat SET beat_at = clock_timestamp() WHERE id = 1 RETURNING beat_at"
_HALTED: Final = "SELECT flow, state, reason FROM sync.flow_state WHERE flow = ANY(%s) AND state <> %s ORDER BY flow"
_POSITIONS: Final = "SELECT flow, topic, partition, next_offset FROM sync.ledger WHERE flow = ANY(%s)"


class NotLevel(Exception):
    """The target did not reach its source in time; the message says what is behind."""


@dataclass(frozen=True)
class Level:
    """``patience`` in seconds, for each of the three things that are waited for."""

    comparison: Comparison
    source: Pool
    target: Pool
    broker: Broker
    patience: float

    async def reach(self) -> None:
        """Return when all that is committed now is in the target; raises :class:`NotLevel`."""
        await self._see_that_flows_run()
        await self._until(self._streamed(await self.beat()), "the connector has not read all of the source")
        ends = await self._ends()
        await self._until(lambda: self._read(ends), "the flow is behind its log")
        if self.comparison.pending is not None:
            await self._until(self._settled, "changes that rows of another flow bring along are not applied")

    async def _see_that_flows_run(self) -> None:
        async with self.target.session() as session:
            halted = await session.rows(_HALTED, (list(self._flows), RUNNING))
        if halted:
            flow, state, reason = halted[0]
            raise NotLevel(f"{flow} is {state}{f' ({reason})' if reason else ''}")

    async def _until(self, reached: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        deadline = asyncio.get_running_loop().time() + self.patience
        while not await reached():
            if asyncio.get_running_loop().time() > deadline:
                raise NotLevel(f"{otherwise}, after {self.patience:.0f} s")
            await asyncio.sleep(_LOOK_SECONDS)

    async def beat(self) -> datetime:
        """Write to the source's log, behind everything that is committed; returns the time that stands there."""
        async with self.source.session() as session:
            row = await session.row(_BEAT)
        if row is None:
            raise NotLevel("the source has no row in sync.heartbeat")
        beat: datetime = row[0]
        return beat

    def _streamed(self, beat: datetime) -> Callable[[], Awaitable[bool]]:
        topic = heartbeat_table(self.comparison.flow.source.table.database).topic

        async def streamed() -> bool:
            value = await self.broker.last_value(topic)
            return value is not None and datetime.fromisoformat(json.loads(value)["after"]["beat_at"]) >= beat

        return streamed

    @property
    def _flows(self) -> Mapping[str, tuple[str, ...]]:
        """CapturedFlow → the topics that it reads."""
        return {flow.name: flow.topics for flow in (self.comparison.flow, *self.comparison.after)}

    async def _ends(self) -> Mapping[Partition, int]:
        flows = (self.comparison.flow, *self.comparison.after)
        return await self.broker.ends(
            [(topic, number) for flow in flows for topic in flow.topics for number in range(flow.partitions)]
        )

    async def _read(self, ends: Mapping[Partition, int]) -> bool:
        async with self.target.session() as session:
            found = await session.rows(_POSITIONS, (list(self._flows),))
        reached = {(flow, topic, number): offset for flow, topic, number, offset in found}
        return all(
            reached.get((flow, topic, number), 0) >= end
            for flow, topics in self._flows.items()
            for (topic, number), end in ends.items()
            if topic in topics
        )

    async def _settled(self) -> bool:
        assert self.comparison.pending is not None, "asked only where something may be pending"
        async with self.target.session() as session:
            row = await session.row(self.comparison.pending)
        return row is not None and not row[0]
