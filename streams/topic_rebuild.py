"""Rebuilding a partition of a flow that has no source but its topic: what the topic still holds is read once more.

Every record is offered with the version that it had when it came. Rows that are missing, or are not what their version says, are
written; nothing is removed, because older rows may stand in the target than the topic still has. Nobody is told anything.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import psycopg2

from flows.callback_model import CallbackFlow
from sinks import ledger, lost_records
from sinks.ledger import Claim
from sinks.pool import Pool
from sinks.sqlstate import Remedy, remedy_of
from streams.callback_decoding import CallbackDecoder
from streams.log_reader import LogReader
from streams.mirror import MirrorWriter, newest_states
from streams.mirror_decoding import RowState
from streams.unit_of_work import refusals_stop_the_flow

log = logging.getLogger(__name__)

#: Most bodies are a kilobyte, the largest that the intake takes by default 256: at most 50 MB.
RECORDS_PER_PAGE: Final = 200
PAGE_SECONDS: Final = 30.0
NO_FENCE: Final = (0, 0)


class TopicRebuilder:
    """See :class:`~streams.target_only.TargetRebuilder`. Each lane reads its own partition."""

    def __init__(self, flow: CallbackFlow, target: Pool, log_reader: LogReader, writer: MirrorWriter) -> None:
        self._topic = flow.topic
        self._target = target
        self._log_reader = log_reader
        self._writer = writer
        self._decoder = CallbackDecoder(flow)

    async def rebuild(self, claims: dict[str, Claim], offsets: dict[str, int], resync: int) -> None:
        """Offer what the topic holds before the offset in ``offsets`` (topic → offset), where reading goes on."""
        claim = claims[self._topic]
        partition = (claim.topic, claim.partition)
        begin = (await self._log_reader.start_offsets([partition]))[partition]
        written = 0
        for page in _pages(range(begin, offsets[claim.topic])):
            states = await self._states(partition, page)
            written += await self._restore(claim, states)
        for topic, each in claims.items():
            await self._finish(each, offsets[topic], resync)
        log.warning("%s[%d]: read again from offset %d on, %d rows were missing or different", *partition, begin, written)

    async def _states(self, partition: tuple[str, int], offsets: range) -> list[RowState]:
        """The newest of each row. Bad records are, or were, dead letters."""
        records = await self._log_reader.range(partition, offsets, PAGE_SECONDS)
        chunks = self._decoder.decode(records)
        newest = newest_states((at, state) for chunk in chunks for at, state in zip(chunk.owners, chunk.changes, strict=True))
        return [state for _, state in newest.values()]

    async def _restore(self, claim: Claim, states: list[RowState]) -> int:
        """Returns how many rows were written. What the database refuses is, or was, a dead letter and stays one."""
        try:
            return await self._write(claim, states)
        except psycopg2.Error as error:
            if remedy_of(error) is not Remedy.BISECT:
                with refusals_stop_the_flow():
                    raise
        if len(states) == 1:
            return 0
        middle = len(states) // 2
        return await self._restore(claim, states[:middle]) + await self._restore(claim, states[middle:])

    async def _write(self, claim: Claim, states: list[RowState]) -> int:
        if not states:
            return 0
        async with self._target.session() as session:
            await ledger.lock(session, claim)
            won = await self._writer.restore(session, states)
            await session.run("COMMIT")
        return won.written

    async def _finish(self, claim: Claim, offset: int, resync: int) -> None:
        async with self._target.session() as session:
            await ledger.lock(session, claim)
            lost = await lost_records.note(session, claim, offset)
            await ledger.finish_topic_resync(session, claim, resync, offset, NO_FENCE)
        if lost:
            log.error("%s[%d]: %s; have them sent again", claim.topic, claim.partition, lost)


def _pages(offsets: range) -> Iterator[range]:
    return (offsets[at : at + RECORDS_PER_PAGE] for at in range(0, len(offsets), RECORDS_PER_PAGE))
