"""The event path as batch jobs see it: the decoders and writers of the flows' kinds, outside of any partition."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec

from app.kinds import followers_of
from app.likeness import HashedRanges, member_likeness, mirror_likeness
from batch_timers.event_path import BadRow, EventPath, Wanted
from flows.model import CapturedFlow
from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from schemas.debezium import row_decoder
from schemas.problems import BadRecord
from sinks import backup_rows
from sinks.json_text import json_text
from sinks.pool import Parameters, Pool, Session
from sinks.source_rows import Fence, KeyRange
from sinks.summary_rows import strays_statement
from streams.mirror import MirrorWriter
from streams.mirror_decoding import RowState, RowStates
from streams.summary import SummaryWriter
from streams.summary_decoding import Member, Members


def event_path(flow: CapturedFlow) -> EventPath:
    """That of a flow; TypeError for a kind that no batch job backs up."""
    if isinstance(flow, MirrorFlow):
        return MirrorPath(flow)
    if isinstance(flow, SummaryFlow):
        return SummaryPath(flow)
    raise TypeError(f"flow {flow.name}: no batch job backs up a {type(flow).__name__}")


class MirrorPath:
    """See :class:`~batch_timers.event_path.EventPath`."""

    def __init__(self, flow: MirrorFlow) -> None:
        if flow.filter is not None:
            raise TypeError(f"flow {flow.name}: a batch job would have to compare rows that its filter leaves out")
        self.flow = flow
        self._decode = row_decoder(flow)
        self._states = RowStates(flow)
        self._writer = MirrorWriter(flow, followers_of(flow))

    def comparison(self, *, extras: bool) -> str:
        """Target rows."""
        return backup_rows.mirror_statement(self.flow, extras=extras)

    def wanted(self, content: bytes, fence: Fence) -> Wanted:
        """The row's state as of the fence."""
        row = _decoded(self._decode, content)
        state = self._states.present(row, fence.epoch, fence.lsn, _now())
        return Wanted(state.row_key, b'{"k":%b,%b}' % (msgspec.json.encode(state.row_key), state.content), state)

    def absent(self, key: str, fence: Fence) -> RowState:
        """Gone as of the fence."""
        content = self._states.gone_content(key, _now())
        return RowState(key, fence.epoch, fence.lsn, gone=True, content=content)

    async def write(self, session: Session, states: Sequence[RowState]) -> frozenset[str]:
        """As a lane does."""
        won = await self._writer.write(session, states, [state.row_key for state in states])
        return won.keys

    async def likeness(self, source: Pool, target: Pool) -> HashedRanges:
        """Of target rows."""
        return await mirror_likeness(self.flow, source, target)

    async def settle(self, session: Session, keys: Sequence[str]) -> list[str]:  # noqa: ARG002 as the protocol has it
        """Nothing is derived from mirrored rows."""
        return []

    async def settle_range(self, session: Session, bounds: KeyRange) -> list[str]:  # noqa: ARG002 as the protocol has it
        """Nothing is derived from mirrored rows."""
        return []

    async def settle_strays(self, session: Session) -> list[str]:  # noqa: ARG002 as the protocol has it
        """Nothing is derived from mirrored rows."""
        return []


class SummaryPath:
    """See :class:`~batch_timers.event_path.EventPath`. Rows are members; what is derived from them are the summaries."""

    def __init__(self, flow: SummaryFlow) -> None:
        self.flow = flow
        self._decode = row_decoder(flow)
        self._members = Members(flow)
        self._writer = SummaryWriter(flow)
        self._groups = backup_rows.groups_statement(flow)
        self._groups_in_range = backup_rows.groups_in_range_statement(flow)
        self._strays = strays_statement(flow)

    def comparison(self, *, extras: bool) -> str:
        """Members."""
        return backup_rows.summary_statement(self.flow, extras=extras)

    def wanted(self, content: bytes, fence: Fence) -> Wanted:
        """The member as of the fence."""
        member = self._members.present(_decoded(self._decode, content), fence.epoch, fence.lsn)
        document = {
            "k": member.row_key,
            "profile_id": int(member.row_key),
            "gr_id": member.reference,
            "updated_at": member.time,
            "content": msgspec.Raw(b"{%b}" % member.content),
        }
        return Wanted(member.row_key, msgspec.json.encode(document), member)

    def absent(self, key: str, fence: Fence) -> Member:
        """Gone as of the fence."""
        return self._members.gone(key, fence.epoch, fence.lsn)

    async def write(self, session: Session, states: Sequence[Member]) -> frozenset[str]:
        """As a lane does; the groups that are touched are summed up."""
        families = await self._writer.families(session, {member.reference for member in states if not member.gone})
        return (await self._writer.write(session, states, families)).won

    async def likeness(self, source: Pool, target: Pool) -> HashedRanges:
        """Of members."""
        return await member_likeness(self.flow, source, target)

    async def settle(self, session: Session, keys: Sequence[str]) -> list[str]:
        """Sum up groups of the page whose summary is another."""
        return await self._summed_up(session, self._groups, {"keys": json_text(keys)}) if keys else []

    async def settle_range(self, session: Session, bounds: KeyRange) -> list[str]:
        """Sum up groups of the range whose summary is another."""
        return await self._summed_up(session, self._groups_in_range, bounds._asdict())

    async def settle_strays(self, session: Session) -> list[str]:
        """Sum up groups that have no member."""
        return await self._summed_up(session, self._strays, None)

    async def _summed_up(self, session: Session, statement: str, parameters: Parameters) -> list[str]:
        groups = [group for (group,) in await session.rows(statement, parameters)]
        await self._writer.sum_up(session, groups)
        return [f"{self.flow.reference.column} {group}" for group in groups]


def _decoded(decode: Any, content: bytes) -> Any:
    try:
        return decode(content)
    except BadRecord as error:
        raise BadRow from error


def _now() -> int:
    return int(time.time() * 1e6)
